/* The supervisor's loop, and what it says of the guest's world. */
#ifndef CONFINE_SUPERVISE_H
#define CONFINE_SUPERVISE_H

#include "supervisor.h"

struct supervisor {
	const struct ears *ears;
	struct side *side;
	struct world *world;
	struct notifier notifier;
	struct watch watch;
	uint32_t layers;
	uint32_t landlock;
	bool is_handed_over; /* the listener is here */
	bool is_ready;	     /* the program runs */
	bool is_announced;   /* and the host knows */
	bool has_ended;	     /* the guest, and how */
	int status;
	uint32_t ticks_ms; /* of the guest's first process */
	int exec; /* -1 once the guest's side has closed it */
};

/* announce.c */

/* The program runs: from here on the supervisor needs little, and keeps no more. */
void become_ready(struct supervisor *supervisor);
/* Not before the guest is in its cgroups, if it gets any: what holds it is said once. */
void announce(struct supervisor *supervisor);
/* From the lock on, as the other limits. What was announced must hold. */
void limit_cgroups(struct supervisor *supervisor);
/* The kernel ends who needs more memory than a cgroup has, with a signal that says nothing. */
bool is_out_of_memory(const struct supervisor *supervisor);

#endif
