/* What the host is told: lines of JSON, never blocking. */
#ifndef CONFINE_REPORT_H
#define CONFINE_REPORT_H

#include <sys/resource.h>

#include "options.h"
#include "world.h"

/* How many of a kind may still be sent. */
struct bucket {
	uint64_t tokens; /* x 1000 */
	int64_t refilled_ms;
};

struct report {
	int fd;
	size_t pending;
	size_t room;
	char *queue;
	uint64_t dropped;      /* violations that were not sent */
	int64_t told_ms;       /* when the host was last told of them */
	int64_t held_until_ms; /* the queue is; 0: it is not */
	struct bucket violations;
	uint64_t missed; /* traced calls that were not sent */
	struct bucket traces;
	char few[96 * 1024]; /* the queue, unless calls are traced */
};

/* A call of the guest that waits for its answer. */
struct call {
	uint64_t id;
	pid_t caller; /* a thread */
	int number;
	uint64_t arguments[6];
	const char *path; /* NULL: it names none, or it cannot be read */
	const char *data; /* the first bytes that it writes, when traced */
	size_t data_size;
};

/* What became of a traced call. */
enum fate { FATE_DONE, FATE_FAILED, FATE_LOCKED, FATE_KILLED };

void report_start(struct report *report, int fd);
/* Calls are traced, so there is more to say. Returns false when there is no memory for it. */
bool report_much(struct report *report);
void report_setup_failed(struct report *report, const char *stage,
			 const char *verb, const char *operand, int error,
			 const char *hint);
void report_ready(struct report *report, const struct world *world,
		  uint32_t layers, uint32_t landlock);
void report_locked(struct report *report, uint64_t continued);
/* The guest is about to be ended for it: "memory" or "cpu". */
void report_limit(struct report *report, const char *limit);
void report_usage(struct report *report, const struct rusage *usage);
/* The last violation, which ends the guest, is never dropped. */
void report_violation(struct report *report, const struct call *call,
		      bool kill);
void report_trace(struct report *report, const struct call *call,
		  enum fate fate, int error);
/* Of traced calls. */
void say_missed(struct report *report);
/* Kept free of ordinary violations, for what must arrive. */
#define RESERVE (4 * MAX_LINE)
struct line;
/* Ends the line. Returns whether there was room for it, and for so many bytes besides. */
bool enqueue(struct report *report, struct line *line, size_t reserve);
void send_queue(struct report *report);
/* Sends what can be sent. Returns how long to wait before the next time, -1: until something happens. */
int report_flush(struct report *report);
/* Whether it waits for room in the socket. */
bool report_waits(const struct report *report);
/* The guest is dead: gives the host a moment to take what is left. */
void report_drain(struct report *report);

#endif
