// Light, dark, or as the system has it; loaded before the page is painted, so that it does not flash.
(() => {
  const order = ["auto", "light", "dark"];
  const system = matchMedia("(prefers-color-scheme: dark)");
  const wanted = () => localStorage.getItem("theme") || "auto";
  const choices = () => document.querySelectorAll("input[name=theme]"); // on the page Account

  const apply = () => {
    const dark = wanted() === "dark" || (wanted() === "auto" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${wanted()}`;
    for (const choice of choices()) choice.checked = choice.value === wanted();
  };
  const want = (theme) => {
    localStorage.setItem("theme", theme);
    apply();
  };

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => want(order[(order.indexOf(wanted()) + 1) % order.length]));
    for (const choice of choices()) choice.addEventListener("change", () => want(choice.value));
    apply();
  });
})();
