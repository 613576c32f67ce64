/* One filter for one call that nothing here makes otherwise. */
#ifndef CONFINE_PROBE_FILTER_H
#define CONFINE_PROBE_FILTER_H

#include <sys/syscall.h>

#include "probe.h"

#define GUINEA_PIG SYS_getpgid
/* An errno that no kernel gives for it. */
#define PLANTED_ERROR 77

/* Returns what seccomp() returned, which is not below 0. */
int install_filter(struct trial *trial, unsigned int flags, uint32_t action);

#endif
