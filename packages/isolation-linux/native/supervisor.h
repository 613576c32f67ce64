/* What the supervisor does while the guest runs. */
#ifndef CONFINE_SUPERVISOR_H
#define CONFINE_SUPERVISOR_H

#include "failure.h"
#include "options.h"
#include "plan.h"
#include "world.h"

/* threads.c */

/* The threads of a guest that nothing else counts. */
#define MOST_STARTING 128

struct crowd {
	int tasks; /* -1: they are not counted here */
	uint64_t most;
	/*
	 * Who was let start one, and may not have done so yet: several may ask
	 * before the first one shows.
	 */
	struct {
		pid_t caller;
		int64_t since_ms;
	} starting[MOST_STARTING];
	size_t starting_count;
};

/* How many threads a guest of this world may have as the supervisor counts, 0: it does not. */
uint64_t counted_threads(const struct options *options,
			 const struct world *world);
void watch_threads(const struct side *side, struct crowd *crowd,
		   const struct options *options, const struct world *world,
		   pid_t guest);
/* A thread makes a call: what it was let do before is done. */
void hear_thread(struct crowd *crowd, pid_t caller);
/* Whether it may start another one; if so, it is counted from now on. */
bool let_thread_start(struct crowd *crowd, pid_t caller);

/* notify.c */

struct notifier {
	const struct options *options;
	const struct plan *plan;
	const struct side *side;
	int listener;
	pid_t guest;   /* who made the first call: the guest's main thread */
	bool locked;   /* never goes back */
	bool is_alone; /* no process namespace would end what it starts */
	struct crowd crowd;
	uint64_t lock_call;
	uint64_t continued;
};

enum verdict { VERDICT_ANSWERED, VERDICT_LOCKED, VERDICT_KILL };

/* Answers the call that waits, unless it is the lock or a reason to kill. */
enum verdict answer_call(struct notifier *notifier);
/* Lets the guest go on that asked for the lock. */
void answer_lock(const struct notifier *notifier);
/* The guest waits while it is answered: to wake another CPU would cost more than the answer. */
void stay_on_one_cpu(int listener);
/* Whether this kernel has user notification, in structs of the size we know. */
bool have_room_for_calls(void);

/* interpret.c */

struct seccomp_data;

/* Returns what the kernel would do with the call: SECCOMP_RET_... */
uint32_t run_filter(const struct sock_fprog *program,
		    const struct seccomp_data *data);

/* memory.c */

/* Watches how much memory the guest holds. */
struct watch {
	int statm; /* -1: nobody watches */
	pid_t guest;
	uint64_t page_bytes;
	uint64_t limit_bytes; /* of resident memory, 0: not locked yet */
	int64_t due_ms;
};

void watch_memory(const struct side *side, struct watch *watch,
		  const struct options *options, pid_t guest);
/* From the lock on the limits hold. */
void limit_memory(const struct side *side, struct watch *watch,
		  const struct options *options);
/* Looks when it is time to. Returns how long until the next time, -1: never, 0: the guest holds too much. */
int look_at_memory(struct watch *watch);
int64_t now_ms(void);

/* seal.c */

/* From the lock on: no call that makes a descriptor succeeds, whatever the filter says. */
void forbid_descriptors(const struct side *side, pid_t guest);

/* supervise.c */

/* Where the supervisor listens. */
struct ears {
	int signals;
	int exec;
};

_Noreturn void supervise(struct side *side, const struct options *options,
			 const struct plan *plan, struct world *world,
			 const struct ears *ears);

#endif
