/*
 * Init, pid 1 of the guest's namespaces. It builds the guest's world, starts
 * the guest, and then has two things to do: tell how the guest ended, and die
 * with the supervisor. Its own end takes every process of the guest along.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "range.h"

static void ignore_signal(int number)
{
	(void)number;
}

/* SIGCHLD has to interrupt ppoll(), and only there. */
static void hold_child_signal(const struct side *side, sigset_t *open)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	sigset_t child;

	sigemptyset(open);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &child, NULL) != 0 ||
	    sigaction(SIGCHLD, &action, NULL) != 0)
		fail(side, STAGE_PRIVILEGES, "handle SIGCHLD", "");
}

/*
 * The clock by which the kernel holds RLIMIT_CPU: it counts whole ticks, and on
 * a busy machine it is far from what a process has used. clock_getcpuclockid(3)
 * gives the other one. include/linux/posix-timers_types.h: CPUCLOCK_PROF
 */
static clockid_t clock_of_ticks(pid_t process)
{
	return (clockid_t)(~(unsigned int)process << 3);
}

/* Of one that has ended, too, until it is waited for. */
static uint32_t ticks_ms_of(pid_t process)
{
	struct timespec time = { 0 };

	syscall(SYS_clock_gettime, clock_of_ticks(process), &time);
	return (uint32_t)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

/* As wait4(2) would have it. */
static uint32_t wait_status(const siginfo_t *end)
{
	const uint32_t status = (uint32_t)end->si_status;

	if (end->si_code == CLD_EXITED)
		return (status & 0xff) << 8;
	return status | (end->si_code == CLD_DUMPED ? 0x80 : 0);
}

/*
 * The guest stays a zombie until the supervisor has heard of its end and lets
 * go: until then its number, by which the guest is limited and moved, is
 * nobody else's.
 */
static _Noreturn void tell_end(const struct side *side, const siginfo_t *end,
			       uint32_t ticks_ms, pid_t victim)
{
	struct pollfd supervisor = { side->socket, POLLIN, 0 };
	const struct timespec patience = { .tv_sec = 1 };
	const struct packet packet = {
		.kind = PACKET_ENDED,
		.value = wait_status(end),
		.ticks_ms = ticks_ms,
	};

	send_packet(side, &packet);
	/* One that somebody has stopped hears nothing, and what the guest has started would live on. */
	if (ppoll(&supervisor, 1, &patience, NULL) <= 0)
		kill(victim, SIGKILL);
	while (ppoll(&supervisor, 1, NULL, NULL) < 0)
		;
	wait4(end->si_pid, NULL, __WALL, NULL);
	_exit(0);
}

/*
 * The supervisor never writes here: whatever happens to the socket is its
 * wish, or its own end, and the end of every process of the guest.
 */
static _Noreturn void wait_for_end(const struct side *side, pid_t guest,
				   pid_t victim, const sigset_t *open)
{
	struct pollfd supervisor = { side->socket, POLLIN, 0 };
	int how = WEXITED | WNOWAIT | WNOHANG | __WALL;

	for (;;) {
		siginfo_t end;
		uint32_t ticks_ms;

		if ((how & WNOHANG) != 0 &&
		    ppoll(&supervisor, 1, NULL, open) > 0) {
			kill(victim, SIGKILL);
			how &= ~WNOHANG;
		}
		do {
			end.si_pid = 0;
			ticks_ms = ticks_ms_of(guest);
			if (waitid(P_ALL, 0, &end, how) != 0)
				_exit(EXIT_SETUP_FAILED);
			if (end.si_pid == guest)
				tell_end(side, &end, ticks_ms, victim);
			if (end.si_pid > 0)
				wait4(end.si_pid, NULL, __WALL, NULL);
		} while (end.si_pid > 0);
	}
}

/* What can be built in this tier; the guest's side does the rest. */
static void build_world(const struct side *side, struct options *options,
			const struct world *world, uint32_t *layers)
{
	bool can_shrink = has_capability(CAP_SETPCAP);

	if (world->tier == TIER_FULL) {
		forbid_nested_namespaces(side, layers);
		detach_places(side, options, world, ALL_OF_THEM);
		/* Files of the new root must belong to an identity that exists in here. */
		take_identity(side, GUEST_ID, GUEST_ID);
		if ((*layers & LAYER_NO_NESTED_USER_NS) != 0)
			assert_no_nested_namespaces(side);
	}
	if (world->tier != TIER_BARE) {
		detach_places(side, options, world, ALL_OF_THEM);
#ifndef WITHOUT_ROOT
		build_root(side, options);
#endif
#ifndef WITHOUT_UTS_NS /* It would be the host's. */
		take_hostname(side, options->hostname);
#endif
	}
#ifndef WITHOUT_NO_CAPABILITIES
	/* The bounding set before the identity: to shrink it takes a capability. */
	if (can_shrink)
		shrink_capabilities(side);
	if (world->is_changed)
		take_identity(side, world->uid, world->gid);
	drop_capabilities(side);
#else
	(void)can_shrink;
#endif
}

/* Waits until init has let go of what the guest's side is to close last. */
static void wait_at(const struct side *side, const int gate[2])
{
	char none;

	close(gate[1]);
	while (read(gate[0], &none, 1) < 0)
		if (errno != EINTR)
			fail(side, STAGE_EXEC, "wait for", "init");
	close(gate[0]);
}

void run_init(struct options *options, const struct plan *plan,
	      const struct sockets *sockets, const struct world *world)
{
	const struct side side = { .socket = sockets->init[1] };
	struct packet layers = {
		.kind = PACKET_LAYERS,
		.value = world->layers | LAYER_NO_CAPABILITIES |
			 (world->is_own ? LAYER_OWN_UID : 0),
	};
	const pid_t self = getpid();
	sigset_t open;
	int gate[2];
	pid_t guest, victim;
	bool has_no_terminal;
	char go;

	close(sockets->init[0]);
	close(sockets->exec[0]);
	/* Before its identity is mapped, where that is to be, nothing else may be done. */
	if (read(side.socket, &go, 1) != 1)
		_exit(EXIT_SETUP_FAILED);
	die_with_supervisor(&side);
	/* While there still is a /dev. */
	has_no_terminal = leave_terminal();
	build_world(&side, options, world, &layers.value);
#ifndef WITHOUT_NO_NEW_PRIVS
	forbid_new_privileges(&side);
#endif
#ifndef WITHOUT_HIDDEN_MEMORY
	hide_memory(&side);
#endif
	die_with_supervisor(&side);
	hold_child_signal(&side, &open);
	send_packet(&side, &layers);

	if (pipe2(gate, O_CLOEXEC) != 0)
		fail(&side, STAGE_EXEC, "create", "a pipe");
	guest = fork();
	if (guest < 0)
		fail(&side, STAGE_EXEC, "fork", "");
	if (guest == 0) {
		wait_at(&side, gate);
		run_guest(options, plan, world, sockets->exec[1], self,
			  has_no_terminal);
	}
	/*
	 * The end of this socket tells the supervisor that the program runs,
	 * so this copy has to be gone before the guest may execute it.
	 */
	close(sockets->exec[1]);
	close(gate[1]);
	close_all_but(&side, side.socket);
	/* All that there is, but only where nothing else is. */
	victim = self == 1 ? -1 : guest;
	filter_init(&side, victim, clock_of_ticks(guest));
	wait_for_end(&side, guest, victim, &open);
}
