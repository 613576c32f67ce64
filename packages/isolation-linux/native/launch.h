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
/*
 * Without a user namespace, plus the supervisor's process id: an identity that
 * nobody else has. systemd's list of ranges has these numbers as unused, above
 * those of every container manager, https://systemd.io/UIDS-GIDS
 */
#define OWN_ID_FIRST 0x70000000u
/* In a process namespace init is 1, and forks once. */
#define GUEST_PROCESS 2
/* Stands in the guest's filter for the process id of the guest, src/syscall-rules.ts */
#define OWN_PROCESS 0x7f706964u

#define EXIT_SETUP_FAILED 125
#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND 127

/* options.c: what stands in argv. */

enum place_kind {
	PLACE_READ,	  /* bound read-only from the same path of the host */
	PLACE_EXEC,	  /* the same, and it may be executed */
	PLACE_LINK,	  /* a symbolic link */
	PLACE_EMPTY,	  /* an empty regular file */
	PLACE_GRANT_READ, /* the guest's for good, read-only, not to be executed */
	PLACE_GRANT_WRITE, /* the same, and it may be changed */
};

struct place {
	enum place_kind kind;
	const char *path;
	const char *target; /* PLACE_LINK */
	int tree;	    /* of all that is bound: the detached mount */
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
	bool is_sealed; /* from the lock on the guest gets no new descriptor */
	bool trace;	/* every call is reported */
	/* On top of what the guest holds when it is locked, MiB; 0: no limit. */
	uint64_t resident_mib;
	uint64_t data_mib;
	uint64_t scratch_mib; /* size of the guest's own /tmp, 0: it has none */
	char **command;
	char **environment;
};

/* Returns NULL, or the argument that is wrong. */
const char *read_options(int argc, char **argv, struct options *options);

/* plan.c: what comes over the control socket. */

#define RULE_VIOLATION 1 /* to be reported, not just refused */
#define RULE_LOCKS 2	 /* may be what asks for the lock */
#define RULE_LOOKS 4	 /* changes nothing: some paths are harmless */
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

/* tiers.c: what the guest's world is made of, the strongest first. */

enum tier {
	TIER_FULL, /* namespaces, and a user namespace around them */
	TIER_ROOT, /* the same namespaces by the privileges of root */
	TIER_BARE, /* none: Landlock and seccomp alone */
	TIER_COUNT,
};

struct world {
	enum tier tier;
	/* The guest's, as the supervisor sees it. */
	uid_t uid;
	gid_t gid;
	bool is_changed; /* they are not those of who launched, without a user namespace */
	bool is_own; /* and nobody else has them */
	bool is_verified;
	uint32_t layers;
	char because[TIER_COUNT][1024]; /* why it is not this one */
};

const char *tier_name(enum tier tier);

/* report.c: lines of JSON to the host, never blocking. */

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
	uint64_t dropped; /* violations that were not sent */
	int64_t told_ms;  /* when the host was last told of them */
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
uint32_t cpu_ms_of(const struct rusage *usage);
/* The last violation, which ends the guest, is never dropped. */
void report_violation(struct report *report, const struct call *call,
		      bool kill);
void report_trace(struct report *report, const struct call *call,
		  enum fate fate, int error);
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
	STAGE_VERIFY,
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
	uint32_t cpu_ms;
	char verb[64];
	char operand[300];
};

/* Which process this is, so that a failure finds its way to the host. */
struct side {
	struct report *report; /* the supervisor */
	pid_t init;	       /* the supervisor, once it has one */
	int init_pidfd;
	int init_socket;
	int socket; /* init and the guest's side */
};

/* What the user can do about a failure, or nothing. */
const char *hint_for(const struct packet *packet);
/* "Cannot <verb> <operand>: <errno>" and the end of this process. */
_Noreturn void fail(const struct side *side, enum stage stage, const char *verb,
		    const char *operand);
/* The supervisor's part of it, for the failures of the other two. */
_Noreturn void fail_for(const struct side *side, const struct packet *packet);
void send_packet(const struct side *side, const struct packet *packet);

/* namespaces.c */

struct sockets {
	int init[2]; /* supervisor's end, init's end; lives as long as init */
	int exec[2]; /* supervisor's end, guest's end; exec() closes it */
};

void give_up_groups(const struct side *side);
/* As fork(), with init_pidfd: with a process namespace the child is pid 1. */
pid_t enter_namespaces(unsigned long namespaces, struct side *side);
/*
 * Waits for the end of init, and with it for the end of every process in its
 * namespace. Returns its wait status.
 */
int wait_for_init(const struct side *side);
/* The same, after asking init to end the guest and itself. */
int end_init(const struct side *side);
/* Who the guest of this tier will be. */
void choose_identity(struct world *world);
void map_identity(const struct side *side, const struct world *world);
void forbid_nested_namespaces(const struct side *side, uint32_t *layers);
void assert_no_nested_namespaces(const struct side *side);
void take_identity(const struct side *side, uid_t uid, gid_t gid);
void take_hostname(const struct side *side, const char *name);

/* grants.c */

bool is_grant(const struct place *place);
/* Whether the guest has any, or scratch space. */
bool has_files(const struct options *options);
/* As open_tree(): returns the detached mount, -1 with errno. */
int detach_grant(const struct side *side, const struct place *place);
void lend_ownership(const struct side *side, const struct place *place,
		    const struct world *world);
bool is_in_writable_grant(const struct options *options,
			  const struct place *place);
void assert_grants(const struct side *side, const struct options *options);

/* root.c */

/* Where the guest's own file system stands, when it has one. */
#define SCRATCH_PATH "/tmp"

enum effort { ALL_OF_THEM, AS_FAR_AS_ALLOWED };

void detach_places(const struct side *side, struct options *options,
		   const struct world *world, enum effort effort);
void build_root(const struct side *side, const struct options *options);

/* privileges.c */

bool has_capability(int capability);
/* A change of credentials clears it. */
void die_with_host(const struct side *side);
void die_with_supervisor(const struct side *side);
/* The guest's side: with init, which is not pid 1 everywhere. */
void die_with_init(const struct side *side, pid_t init);
void drop_capabilities(const struct side *side);
/* The bounding set and the ambient set: before a change of identity, and with CAP_SETPCAP. */
void shrink_capabilities(const struct side *side);
void forbid_new_privileges(const struct side *side);
void hide_memory(const struct side *side);
void reset_signals(const struct side *side);
void limit_resources(const struct side *side, const struct options *options,
		     const struct world *world);

/* landlock.c */

/* Returns the ABI in force, which is none newer than the table, 0 when the kernel has no Landlock. */
uint32_t restrict_files(const struct side *side, const struct options *options);
/* What no rule allows is refused. */
void assert_restricted(const struct side *side);

/* filter.c */

/* The filter knows the guest by a number that stands for its own. */
void name_guest(const struct plan *plan, pid_t guest);

/* Returns the listener. */
int filter_guest(const struct side *side, const struct plan *plan, bool trace);
void filter_init(const struct side *side, pid_t victim);
void filter_supervisor(const struct side *side, int statm);

/* init.c, guest.c */

_Noreturn void run_init(struct options *options, const struct plan *plan,
			const struct sockets *sockets,
			const struct world *world);
_Noreturn void run_guest(const struct options *options, const struct plan *plan,
			 const struct world *world, int socket, pid_t init);

/* tiers.c */

/* Starts init in the strongest world that can be had. `exec` is the supervisor's end of the guest's socket. */
void enter_world(struct side *side, struct options *options,
		 const struct plan *plan, struct world *world, int *exec);

/* verify.c */

/* Ends the launch when a layer that is said to be in force is not to be seen. */
void verify_guest(const struct side *side, struct world *world, uint32_t layers,
		  pid_t guest);

/* notify.c */

struct notifier {
	const struct options *options;
	const struct plan *plan;
	const struct side *side;
	int listener;
	pid_t guest;   /* who made the first call: the guest's main thread */
	bool locked;   /* never goes back */
	bool is_alone; /* no process namespace would end what it starts */
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

void watch_memory(const struct side *side, struct watch *watch, pid_t guest);
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

_Noreturn void supervise(const struct side *side, const struct options *options,
			 const struct plan *plan, struct world *world,
			 const struct ears *ears);

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
#define LAYER_OWN_UID (1u << 12)
#define LAYER_NO_NEW_DESCRIPTORS (1u << 13)

#endif
