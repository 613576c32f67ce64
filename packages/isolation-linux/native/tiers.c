/*
 * The tiers: what the guest's world is made of, the strongest first. A tier
 * whose namespaces cannot be had leads to the next one, and why is told to the
 * host. Every other failure is the end of the launch.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launch.h"

/* A test build without one of them proves that it is missed. */
#ifdef WITHOUT_NET_NS
#undef CLONE_NEWNET
#define CLONE_NEWNET 0
#endif
#ifdef WITHOUT_PID_NS
#undef CLONE_NEWPID
#define CLONE_NEWPID 0
#endif

#ifdef WITHOUT_USER_NS
#undef CLONE_NEWUSER
#define CLONE_NEWUSER 0
#endif
#ifdef WITHOUT_IPC_NS
#undef CLONE_NEWIPC
#define CLONE_NEWIPC 0
#endif
#ifdef WITHOUT_UTS_NS
#undef CLONE_NEWUTS
#define CLONE_NEWUTS 0
#endif
#ifdef WITHOUT_CGROUP_NS
#undef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0
#endif

#define NAMESPACES                                                  \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | \
	 CLONE_NEWUTS | CLONE_NEWCGROUP)
#define NAMESPACE_LAYERS                                               \
	(LAYER_MOUNT_NS | LAYER_PID_NS | LAYER_NET_NS | LAYER_IPC_NS | \
	 LAYER_UTS_NS | LAYER_CGROUP_NS | LAYER_READ_ONLY_ROOT)

/* The names are those that probe() has for them, src/probe/report.ts. */
static const struct {
	const char *name;
	unsigned long namespaces;
	uint32_t layers;
} tiers[TIER_COUNT] = {
	[TIER_FULL] = { "full", CLONE_NEWUSER | NAMESPACES,
			LAYER_USER_NS | NAMESPACE_LAYERS },
	[TIER_ROOT] = { "no-user-namespaces-root", NAMESPACES,
			NAMESPACE_LAYERS },
	[TIER_BARE] = { "landlock-seccomp", 0, 0 },
};

const char *tier_name(enum tier tier)
{
	return tiers[tier].name;
}

static void open_sockets(const struct side *side, struct sockets *sockets)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		       sockets->init) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		       sockets->exec) != 0)
		fail(side, STAGE_SUPERVISE, "create", "sockets");
}

/* An attempt may have attached them to a root that is gone. */
static void forget_trees(struct options *options)
{
	for (size_t i = 0; i < options->place_count; i++) {
		if (options->places[i].tree >= 0)
			close(options->places[i].tree);
		options->places[i].tree = -1;
	}
}

/*
 * Whether a failure says that there are no namespaces here. One in which
 * nothing may be mounted is none: AppArmor makes such on Ubuntu, and so do
 * container profiles. EACCES for a path is about the path. A kernel without
 * the mount calls has namespaces that the guest cannot be put into.
 */
static bool is_about_namespaces(const struct packet *packet)
{
	int error = packet->error;

	if (packet->stage == STAGE_NAMESPACES)
		return error == EPERM || error == EACCES || error == ENOSPC ||
		       error == EUSERS || error == EINVAL || error == ENOSYS;
	return packet->stage == STAGE_ROOT &&
	       (error == EPERM || error == ENOSYS ||
		(error == EACCES && packet->operand[0] != '/'));
}

static void say_why_not(struct world *world, const struct packet *packet)
{
	const char *hint = hint_for(packet);

	snprintf(world->because[world->tier], sizeof(world->because[0]),
		 "%s: Cannot %s%s%s: %s%s%s", tier_name(world->tier),
		 packet->verb, packet->operand[0] != '\0' ? " " : "",
		 packet->operand, strerror(packet->error),
		 hint[0] != '\0' ? ". " : "", hint);
}

/* Init's first word: that the world stands, or why it does not. */
static void hear_init(const struct side *side, struct packet *packet)
{
	ssize_t got;

	do
		got = recv(side->init_socket, packet, sizeof(*packet), 0);
	while (got < 0 && errno == EINTR);
	if (got != sizeof(*packet) || packet->stage >= STAGE_COUNT) {
		errno = got == 0 ? 0 : EPROTO;
		fail(side, STAGE_SUPERVISE,
		     "hear of init:", "it ended without a word");
	}
	packet->verb[sizeof(packet->verb) - 1] = '\0';
	packet->operand[sizeof(packet->operand) - 1] = '\0';
}

/* Builds the world of one tier. Returns whether it stands; if not, says why. */
static bool attempt(struct side *side, struct options *options,
		    const struct plan *plan, struct world *world, int *exec)
{
	struct packet packet = { .stage = STAGE_NAMESPACES,
				 .verb = "create the namespaces" };
	struct sockets sockets;

	open_sockets(side, &sockets);
	choose_identity(world);
	world->layers |= tiers[world->tier].layers;
	/* Root can pass every directory now, and not any more from inside. */
	if (geteuid() == 0 && world->tier != TIER_BARE)
		detach_places(side, options, world, AS_FAR_AS_ALLOWED);
	side->init_socket = sockets.init[0];
	side->init = enter_namespaces(tiers[world->tier].namespaces, side);
	if (side->init == 0)
		run_init(options, plan, &sockets, world);
	packet.error = errno;
	close(sockets.init[1]);
	close(sockets.exec[1]);
	if (side->init > 0) {
		if (world->tier == TIER_FULL)
			map_identity(side, world);
		if (write(side->init_socket, "", 1) != 1)
			fail(side, STAGE_SUPERVISE, "start", "init");
		hear_init(side, &packet);
		if (packet.kind == PACKET_LAYERS) {
			world->layers = packet.value;
			*exec = sockets.exec[0];
			return true;
		}
	}
	if (!is_about_namespaces(&packet))
		fail_for(side, &packet);
	if (side->init > 0) {
		wait_for_init(side);
		close(side->init_pidfd);
	}
	side->init = 0;
	close(sockets.init[0]);
	close(sockets.exec[0]);
	forget_trees(options);
	say_why_not(world, &packet);
	return false;
}

/* Whether namespaces can be made without one of users, and be left for an identity without power. */
static bool is_powerful(void)
{
	return has_capability(CAP_SYS_ADMIN) && has_capability(CAP_SETUID) &&
	       has_capability(CAP_SETGID) && has_capability(CAP_SETPCAP) &&
	       has_capability(CAP_KILL);
}

void enter_world(struct side *side, struct options *options,
		 const struct plan *plan, struct world *world, int *exec)
{
	give_up_groups(side);
	for (world->tier = TIER_FULL; world->tier < TIER_COUNT; world->tier++) {
		if (world->tier == TIER_FULL && !has_proc()) {
			snprintf(
				world->because[TIER_FULL],
				sizeof(world->because[0]),
				"%s: It takes /proc, by which the guest gets its identity: run 'mount -t proc proc /proc' as root",
				tier_name(TIER_FULL));
			continue;
		}
		if (world->tier == TIER_ROOT && !is_powerful()) {
			snprintf(
				world->because[TIER_ROOT],
				sizeof(world->because[0]),
				"%s: It takes root with CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP and CAP_KILL",
				tier_name(TIER_ROOT));
			continue;
		}
		/* In the host's root Landlock alone would be left, which does not know chmod(), utimes() and stat(). */
		if (world->tier == TIER_BARE && has_files(options)) {
			errno = 0;
			fail(side, STAGE_NAMESPACES,
			     "give the guest files without a mount namespace:",
			     world->because[TIER_FULL]);
		}
		/* Without a namespace of its own an orphan of the guest would go to somebody else. */
		if (world->tier == TIER_BARE &&
		    prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
			fail(side, STAGE_SUPERVISE, "adopt", "the guest");
		world->layers = 0;
		if (attempt(side, options, plan, world, exec))
			return;
	}
	errno = 0;
	fail(side, STAGE_NAMESPACES, "start init", "in any way");
}
