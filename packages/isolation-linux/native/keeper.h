/*
 * The keeper: a fourth process, where cgroups can be had. It makes the guest's
 * and outlives everybody in them, to remove them.
 */
#ifndef CONFINE_KEEPER_H
#define CONFINE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "options.h"

/* What the supervisor asks of it, and what it answers. */
enum order {
	ORDER_MOVE = 1, /* the guest into its cgroups; value: its process id */
	ORDER_LIMIT,	/* hold the limits from now on */
	ORDER_TELL,	/* did the guest run out of memory? */
};

struct request {
	uint32_t order;
	int32_t value;
};

struct answer {
	uint32_t order;
	uint32_t layers; /* LAYER_CGROUP_..., for ORDER_TELL whether it did */
};

/* After this there is one, unless there is nothing for it to do. */
void start_keeper(struct side *side, const struct options *options);
/* Its answer may be waited for with poll() on side->keeper. */
void order_keeper(const struct side *side, enum order order, pid_t guest);
/* It removes what it has made. Returns false when it does not get on with it. */
bool end_keeper(const struct side *side);
/* Waits for it, not for ever. What a keeper that is gone holds is nothing. */
uint32_t hear_keeper(struct side *side, enum order order);

/* cgroups.c: what it does. */

/* One cgroup of the guest's. */
struct cgroup {
	enum cgroup_kind kind;
	char name[64];
	int parent; /* the directory in which it lies, -1: there is none */
	int processes;
	int memory; /* the limit, -1: it holds none */
	int usage;
	int events;
	int pids; /* the same for threads */
	int kill; /* version 2 */
};

/* That of process ids, which mean something in one only; without /proc it is called 0. */
unsigned long own_namespace(void);
/* Makes one, and opens what is to be written later. Returns false when it cannot be had. */
bool make_cgroup(struct cgroup *group, const struct cgroup_parent *parent,
		 unsigned long namespace);
bool move_to_cgroup(const struct cgroup *group, pid_t guest);
/* Returns the layers that hold now. */
uint32_t limit_cgroup(const struct cgroup *group,
		      const struct options *options);
bool has_run_out_of_memory(const struct cgroup *group);
/* Returns whether it is gone; if not, somebody is still dying in it. */
bool remove_cgroup(struct cgroup *group);

#endif
