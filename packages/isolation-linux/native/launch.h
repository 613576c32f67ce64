/*
 * What the files of the launcher share. The comment before main() says in
 * which order they are used.
 */
#ifndef CONFINE_LAUNCH_H
#define CONFINE_LAUNCH_H

#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The call channel: the guest gets it untouched. */
#define CHANNEL_FD 3
/* The socket to the host: the plan comes in, reports go out, its end is ours. */
#define CONTROL_FD 4
/*
 * Where the guest's side holds its socket to the supervisor until exec. The
 * guest's filter lets sendmsg() pass on this number only (src/filter.ts), and
 * RLIMIT_NOFILE keeps the number out of reach afterwards.
 */
#define HANDOVER_FD 64

/* The identity that the guest sees: never root, not even in name. */
#define GUEST_ID 1000
/* The identity that the host sees when root launches: nobody. */
#define NOBODY_ID 65534

#define EXIT_SETUP_FAILED 125
#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND 127

/* options.c: what stands in argv. */

enum place_kind {
	PLACE_READ,  /* bound read-only from the same path of the host */
	PLACE_EXEC,  /* the same, and it may be executed */
	PLACE_LINK,  /* a symbolic link */
	PLACE_EMPTY, /* an empty regular file */
};

struct place {
	enum place_kind kind;
	const char *path;
	const char *target; /* PLACE_LINK */
	int tree;	    /* PLACE_READ, PLACE_EXEC: the detached mount */
};

struct limit {
	int resource;
	rlim_t value;
};

struct options {
	struct place *places;
	size_t place_count;
	struct limit limits[RLIM_NLIMITS];
	size_t limit_count;
	const char *hostname;
	const char *lock_path;
	bool kill; /* a violation ends the guest, instead of failing the call */
	char **command;
	char **environment;
};

/* Returns NULL, or the argument that is wrong. */
const char *read_options(int argc, char **argv, struct options *options);

/* plan.c: what comes over the control socket. */

#define RULE_VIOLATION 1 /* to be reported, not just refused */
#define RULE_OPENS 2	 /* opens a file: may be the lock */
#define RULE_ANY 0xff	 /* no argument to compare, or no path */

/* How a notified call is answered once the guest is locked. */
struct rule {
	uint16_t number;
	uint8_t flags;
	uint8_t path;	      /* index of the argument that is a path */
	uint16_t error;	      /* the answer */
	uint16_t quiet_error; /* the answer when the path is harmless */
	uint32_t value;	      /* the rule holds for this low word ... */
	uint8_t argument;     /* ... of this argument */
	uint8_t reserved[3];
};

#define RULE_NUMBERS 1024

struct plan {
	struct sock_fprog filter;
	struct rule *rules; /* sorted by number; the last one is for the rest */
	size_t rule_count;
	uint16_t first[RULE_NUMBERS]; /* number -> index of its first rule */
	char *harmless; /* paths, each ended by a zero byte, then one more */
};

/* Blocks until the host has sent it. Returns NULL, or what is wrong. */
const char *read_plan(int control, struct plan *plan);
const struct rule *find_rule(const struct plan *plan, int number,
			     const uint64_t *arguments);
bool is_harmless(const struct plan *plan, const char *path);

/* report.c: lines of JSON to the host, never blocking. */

struct report {
	int fd;
	size_t pending;
	uint64_t dropped;     /* violations that were not sent */
	int64_t told_ms;      /* when the host was last told of them */
	uint64_t tokens;      /* violations that may still be sent, x 1000 */
	int64_t refilled_ms;
	char queue[96 * 1024];
};

/* A call of the guest that waits for its answer. */
struct call {
	uint64_t id;
	int number;
	uint64_t arguments[6];
	const char *path; /* NULL: it names none, or it cannot be read */
};

void report_start(struct report *report, int fd);
void report_setup_failed(struct report *report, const char *stage,
			 const char *verb, const char *operand, int error,
			 const char *hint);
void report_ready(struct report *report, uint32_t layers, uint32_t landlock);
void report_locked(struct report *report, uint64_t continued);
/* The last violation, which ends the guest, is never dropped. */
void report_violation(struct report *report, const struct call *call,
		      bool kill);
/* Sends what can be sent. Returns how long to wait before the next time, -1: until something happens. */
int report_flush(struct report *report);
/* The guest is dead: gives the host a moment to take what is left. */
void report_drain(struct report *report);

/* failure.c: how each of the three processes says what it could not do. */

enum stage {
	STAGE_OPTIONS,
	STAGE_PLAN,
	STAGE_NAMESPACES,
	STAGE_IDENTITY,
	STAGE_ROOT,
	STAGE_PRIVILEGES,
	STAGE_LANDLOCK,
	STAGE_SECCOMP,
	STAGE_EXEC,
	STAGE_SUPERVISE,
	STAGE_COUNT,
};

enum packet_kind {
	PACKET_FAILED = 1,
	PACKET_LAYERS, /* from the guest's side it carries the listener */
	PACKET_ENDED,  /* value: the guest's wait status */
};

/* What init and the guest's side tell the supervisor. */
struct packet {
	uint32_t kind;
	uint32_t stage;
	int32_t error;
	uint32_t value;
	uint32_t landlock;
	char verb[64];
	char operand[300];
};

/* Which process this is, so that a failure finds its way to the host. */
struct side {
	struct report *report; /* the supervisor */
	pid_t init;	       /* the supervisor, once it has one */
	int init_pidfd;
	int socket; /* init and the guest's side */
};

/* "Cannot <verb> <operand>: <errno>" and the end of this process. */
_Noreturn void fail(const struct side *side, enum stage stage,
		    const char *verb, const char *operand);
/* The supervisor's part of it, for the failures of the other two. */
_Noreturn void fail_for(const struct side *side, const struct packet *packet);
void send_packet(const struct side *side, const struct packet *packet);

/* namespaces.c */

struct sockets {
	int init[2]; /* supervisor's end, init's end; lives as long as init */
	int exec[2]; /* supervisor's end, guest's end; exec() closes it */
};

/* As fork(): the child is pid 1 in new namespaces. */
pid_t enter_namespaces(const struct side *side, int *pidfd);
/*
 * Waits for the end of init, by force when it has to be, and with it for the
 * end of every process in its namespace. Returns its wait status.
 */
int end_init(const struct side *side, bool by_force);
void map_identity(const struct side *side, pid_t init);
void forbid_nested_namespaces(const struct side *side, uint32_t *layers);
void take_identity(const struct side *side);
void take_hostname(const struct side *side, const char *name);

/* root.c */

enum effort { ALL_OF_THEM, AS_FAR_AS_ALLOWED };

void detach_places(const struct side *side, struct options *options,
		   enum effort effort);
void build_root(const struct side *side, const struct options *options);

/* privileges.c */

void die_with_supervisor(const struct side *side);
void drop_capabilities(const struct side *side);
/* The bounding set and the ambient set too: takes CAP_SETPCAP. */
void drop_capabilities_for_good(const struct side *side);
void forbid_new_privileges(const struct side *side);
void hide_memory(const struct side *side);
void reset_signals(const struct side *side);
void limit_resources(const struct side *side, const struct options *options);

/* landlock.c */

/* Returns the ABI in force, 0 when the kernel has no Landlock. */
uint32_t restrict_files(const struct side *side, const struct options *options);

/* filter.c */

/* Returns the listener. */
int filter_guest(const struct side *side, const struct plan *plan);
void filter_init(const struct side *side);
void filter_supervisor(const struct side *side);

/* init.c, guest.c */

_Noreturn void run_init(struct options *options, const struct plan *plan,
			const struct sockets *sockets);
_Noreturn void run_guest(const struct options *options,
			 const struct plan *plan, int socket);

/* notify.c */

struct notifier {
	const struct options *options;
	const struct plan *plan;
	const struct side *side;
	int listener;
	bool locked; /* never goes back */
	uint64_t continued;
};

enum verdict { VERDICT_ANSWERED, VERDICT_LOCKED, VERDICT_KILL };

/* Answers the call that waits; VERDICT_KILL: leaves it without an answer. */
enum verdict answer_call(struct notifier *notifier);
/* The guest waits while it is answered: to wake another CPU would cost more than the answer. */
void stay_on_one_cpu(int listener);
/* Whether this kernel has user notification, in structs of the size we know. */
bool have_room_for_calls(void);

/* supervise.c */

/* Where the supervisor listens. */
struct ears {
	int signals;
	int init;
	int exec;
};

_Noreturn void supervise(const struct side *side,
			 const struct options *options,
			 const struct plan *plan, const struct ears *ears);

/* What holds the guest; the names stand in report.c. */
#define LAYER_USER_NS (1u << 0)
#define LAYER_MOUNT_NS (1u << 1)
#define LAYER_PID_NS (1u << 2)
#define LAYER_NET_NS (1u << 3)
#define LAYER_IPC_NS (1u << 4)
#define LAYER_UTS_NS (1u << 5)
#define LAYER_CGROUP_NS (1u << 6)
#define LAYER_NO_NESTED_USER_NS (1u << 7)
#define LAYER_READ_ONLY_ROOT (1u << 8)
#define LAYER_NO_CAPABILITIES (1u << 9)
#define LAYER_NO_NEW_PRIVS (1u << 10)
#define LAYER_SECCOMP_NOTIFY (1u << 11)

#endif
