// The keyboard: / for search, arrows and Enter in lists, Esc back.
