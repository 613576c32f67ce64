/* The architecture that this launcher was compiled for, as seccomp sees it. */
#ifndef CONFINE_FILTER_H
#define CONFINE_FILTER_H

#include <linux/audit.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "confine-launch knows x86-64 and arm64"
#endif

#endif
