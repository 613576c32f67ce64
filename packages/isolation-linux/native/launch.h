/*
 * What the files of the launcher share. The comment before main() says in
 * which order they are used.
 */
#ifndef CONFINE_LAUNCH_H
#define CONFINE_LAUNCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "options.h"
#include "plan.h"
#include "report.h"
#include "supervisor.h"
#include "world.h"

/* The call channel: the guest gets it untouched. */
#define CHANNEL_FD 3
/* The socket to the host: the plan comes in, reports go out, its end is ours. */
#define CONTROL_FD 4
/* More descriptors than this no guest is given: the kernel keeps a table as long as the highest number. */
#define MOST_DESCRIPTORS 65536

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
/* The same for options.handover. */
#define HANDOVER 0x7f666468u

#define EXIT_SETUP_FAILED 125
#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND 127

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
bool is_in_writable_grant(const struct options *options,
			  const struct place *place);
void assert_places(const struct side *side, const struct options *options);
void assert_grants(const struct side *side, const struct options *options);

/* ownership.c */

/* A user namespace in which an owner on the disk is the guest. */
struct mapping {
	bool is_made;
	uid_t uid;
	gid_t gid;
	int fd; /* -1: it cannot be had */
};

void lend_ownership(const struct side *side, const struct place *place,
		    const struct world *world, struct mapping *mapping);
void forget_mapping(struct mapping *mapping);

/* root.c */

/* Where the guest's own file system stands, when it has one. */
#define SCRATCH_PATH "/tmp"

/* Whether two paths name something in the same directory. */
bool are_neighbours(const char *path, const char *other);

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
/* Returns whether it is sure that neither this process nor a child of it has a terminal. */
bool leave_terminal(void);
void lower_priority(const struct side *side, int nice);
void limit_resources(const struct side *side, const struct options *options,
		     const struct world *world);

/* landlock.c */

/* Returns the ABI in force, which is none newer than the table, 0 when the kernel has no Landlock. */
uint32_t restrict_files(const struct side *side, const struct options *options);
/* What no rule allows is refused. */
void assert_restricted(const struct side *side);

/* filter.c */

/* The filter comes with numbers that stand for what only the launcher knows. */
void name_guest(const struct plan *plan, pid_t guest);
void name_handover(const struct plan *plan, int handover);

/* Returns the listener. */
int filter_guest(const struct side *side, const struct plan *plan,
		 const struct options *options, const struct world *world);
void filter_init(const struct side *side, pid_t victim, clockid_t clock);
void filter_supervisor(const struct side *side, int statm, int tasks);
/* Returns false when it cannot be filtered. */
bool filter_keeper(const int *parents, size_t count);

/* init.c, guest.c */

_Noreturn void run_init(struct options *options, const struct plan *plan,
			const struct sockets *sockets,
			const struct world *world);
_Noreturn void run_guest(const struct options *options, const struct plan *plan,
			 const struct world *world, int socket, pid_t init,
			 bool has_no_terminal);

/* tiers.c */

/* Starts init in the strongest world that can be had. `exec` is the supervisor's end of the guest's socket. */
void enter_world(struct side *side, struct options *options,
		 const struct plan *plan, struct world *world, int *exec);

/* verify.c */

/* Whether /proc shows the processes that this one sees. */
bool has_proc(void);

/* Ends the launch when a layer that is said to be in force is not to be seen. */
void verify_guest(const struct side *side, const struct options *options,
		  struct world *world, uint32_t layers, pid_t guest);

#endif
