/*
 * The guest holds what it will ever hold: a limit of none, which the kernel
 * asks for before it makes a descriptor. No file can be opened behind it and
 * no socket made, by whatever call, and what is open stays usable. It is a
 * wall beside the filter: it knows nothing of system calls.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "launch.h"

void forbid_descriptors(const struct side *side, pid_t guest)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit found;

	/* ESRCH: the guest is gone. */
	if (
#ifndef WITHOUT_SEALED_DESCRIPTORS
		prlimit(guest, RLIMIT_NOFILE, &none, NULL) != 0 ||
#endif
		prlimit(guest, RLIMIT_NOFILE, NULL, &found) != 0) {
		if (errno == ESRCH)
			return;
		fail(side, STAGE_SUPERVISE, "forbid new descriptors to",
		     "the guest");
	}
	if (found.rlim_max != 0) {
		errno = 0;
		fail(side, STAGE_VERIFY, "forbid new descriptors to",
		     "the guest");
	}
}
