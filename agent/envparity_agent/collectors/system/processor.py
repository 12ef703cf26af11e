"""What /proc/cpuinfo says of the processors: https://docs.kernel.org/arch/x86/cpuinfo.html."""

import re

# Instruction sets that programs are built for or ask for at run time: numpy, OpenBLAS, PyTorch and wheels with no
# fallback crash with "illegal instruction" without them. Bugs, mitigations and power management are left out: they
# move with microcode and kernel.
_X86 = frozenset({
    "3dnow", "abm", "adx", "aes", "amx_bf16", "amx_int8", "amx_tile", "avx", "avx2", "avx512_bf16", "avx512_fp16",
    "avx512_vnni", "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512ifma", "avx512vbmi", "avx512vl", "avx_vnni",
    "bmi1", "bmi2", "cx16", "f16c", "fma", "gfni", "movbe", "pclmulqdq", "pni", "popcnt", "rdrand", "rdseed", "sha_ni",
    "sse", "sse2", "sse4_1", "sse4_2", "sse4a", "ssse3", "vaes", "vpclmulqdq", "xsave",
})  # fmt: skip
# https://docs.kernel.org/arch/arm64/elf_hwcaps.html, and neon to idivt of 32-bit Arm
_ARM = frozenset({
    "aes", "asimd", "asimddp", "asimdhp", "asimdrdm", "atomics", "bf16", "bti", "crc32", "dcpop", "fcma", "fp", "fphp",
    "i8mm", "jscvt", "lrcpc", "paca", "pmull", "rng", "sha1", "sha2", "sha3", "sha512", "sme", "sme2", "sve", "sve2",
    "idiva", "idivt", "neon", "vfpv3", "vfpv4",
})  # fmt: skip
# https://gitlab.com/x86-psABIs/x86-64-ABI, table "Micro-Architecture Levels", by the kernel's names: SSE3 is pni,
# LZCNT is abm, and the kernel tells xsave only where it has enabled it (OSXSAVE)
_LEVELS = (
    ("x86-64-v1", frozenset({"lm", "cmov", "cx8", "fpu", "fxsr", "mmx", "syscall", "sse", "sse2"})),
    ("x86-64-v2", frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"})),
    ("x86-64-v3", frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})),
    ("x86-64-v4", frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})),
)


def flags(cpuinfo: str) -> frozenset[str]:
    """The flags of the first processor, as the kernel names them; none where its architecture lists none."""
    found = re.search(r"^(?:flags|Features)[ \t]*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset(found.group(1).split()) if found else frozenset()


def features(flags: frozenset[str]) -> tuple[str, ...]:
    """Of the flags those that matter to programs."""
    return tuple(sorted(flags & (_X86 if "fpu" in flags else _ARM)))


def level(flags: frozenset[str]) -> str | None:
    """The highest level of x86-64 of which the processor has everything; None on another architecture."""
    reached = None
    for name, needed in _LEVELS:
        if not needed <= flags:
            break
        reached = name
    return reached


def model(cpuinfo: str) -> str | None:
    """The name of the processor, where the kernel tells one."""
    found = re.search(r"^(?:model name|Processor|cpu model)[ \t]*:[ \t]*(\S.*)$", cpuinfo, re.MULTILINE)
    return found.group(1).strip() if found else None


def listed(cpuinfo: str) -> int:
    """How many processors are listed: those that are online."""
    return len(re.findall(r"^processor[ \t]*:", cpuinfo, re.MULTILINE))
