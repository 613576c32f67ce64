/*
 * confine-launch: starts a program in a process that the kernel confines.
 *
 * Three processes come of it. The supervisor (this one) stays in the host's
 * namespaces and decides about the guest's system calls. Init is pid 1 of the
 * guest's namespaces. The guest is what init forks and what becomes the
 * program.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper.h"
#include "launch.h"
#include "range.h"

/* What ends the supervisor in an orderly way; SIGKILL does it through PDEATHSIG. */
static const int orderly_ends[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				    SIGUSR1, SIGUSR2, SIGALRM };

/*
 * 0 to 4 are given: were one of them missing, a socket of our own would get
 * its number, and the guest with it.
 */
static bool has_descriptors(void)
{
	int type = 0;
	socklen_t size = sizeof(type);

	for (int fd = 0; fd <= CONTROL_FD; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return false;
	/* Whoever passed it on may have used it without waiting. */
	if (fcntl(CONTROL_FD, F_SETFL, 0) != 0)
		return false;
	return getsockopt(CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_STREAM;
}

static int hold_signals(const struct side *side)
{
	sigset_t held;
	int fd;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(orderly_ends) / sizeof(*orderly_ends);
	     i++)
		sigaddset(&held, orderly_ends[i]);
	if (sigprocmask(SIG_SETMASK, &held, NULL) != 0)
		fail(side, STAGE_SUPERVISE, "hold the signals", "");
	fd = signalfd(-1, &held, SFD_CLOEXEC);
	if (fd < 0)
		fail(side, STAGE_SUPERVISE, "create a", "signalfd");
	/* The host may ignore it, which would make children vanish unwaited. */
	signal(SIGCHLD, SIG_DFL);
	/* A peer that is gone is an error to report, not the end. */
	signal(SIGPIPE, SIG_IGN);
	return fd;
}

/* This process has no core, and does not outlive the thread that launched it. */
static void prepare(const struct side *side)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	/* What else the host has leaked is nobody's business here. */
	close_from_to(side, CONTROL_FD + 1, ~0u);
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		fail(side, STAGE_PRIVILEGES, "forbid", "cores");
	/* Each place takes a descriptor, and the last one is options.handover. */
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		fail(side, STAGE_PRIVILEGES, "read the limit of open files",
		     "");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		fail(side, STAGE_PRIVILEGES, "raise the limit of open files",
		     "");
	die_with_host(side);
	if (!have_room_for_calls()) {
		if (errno == 0)
			errno = EOVERFLOW;
		fail(side, STAGE_SECCOMP, "use seccomp user notification", "");
	}
}

/* The guest's descriptors are the guest's: their ends must not wait for this process. */
static void let_go_of_descriptors(const struct side *side)
{
	for (int fd = 1; fd <= CHANNEL_FD; fd++)
		if (dup2(STDIN_FILENO, fd) < 0)
			fail(side, STAGE_SUPERVISE, "let go of", "descriptors");
}

/*
 *  1. Read argv, then the plan from the control socket, and check both.
 *  2. Hold the signals; ask to die with the host.
 *  3. Find the strongest tier whose namespaces can be had (tiers.c): as root
 *     copy the mounts of what the guest may read, create the namespaces and
 *     init in them, and where there is a user namespace map the identity of
 *     the guest, which only the outside can do.
 *  4. Let init build the rest (init.c), as far as its tier goes: it
 *       forbids further user namespaces,
 *       copies the mounts, unless root has done it,
 *       takes the guest's identity,
 *       builds the read-only root and pivots into it (root.c),
 *       drops all capabilities and forbids new privileges (privileges.c),
 *       forks the guest's side (guest.c), which
 *         leaves the process group, restores signals, applies Landlock,
 *         closes descriptors, sets limits,
 *         installs the filter and hands its listener over,
 *         executes the program;
 *       filters itself and waits.
 *  5. Where cgroups can be had, start the one who makes and removes the
 *     guest's (keeper.c).
 *  6. Supervise (supervise.c): look at the guest from outside (verify.c) and
 *     give up privileges once the program runs,
 *     continue calls until the lock, refuse them from then on, and end as the
 *     guest ended.
 */
int main(int argc, char **argv, char **environment)
{
	/* Static, as nobody touches most of its queue: the stack's copy would be zeroed, and copied with every process. */
	static struct report report;
	struct side side = { .report = &report, .socket = -1, .keeper = -1 };
	struct options options = { .environment = environment };
	struct plan plan = { 0 };
	struct world world = { 0 };
	struct ears ears;
	const char *wrong_argument, *wrong_plan;

	if (!has_descriptors()) {
		fprintf(stderr,
			"confine-launch: descriptors 0 to %d must be open and the last one a socket to the host, which @confine-sandbox/isolation-linux sees to\n",
			CONTROL_FD);
		return EXIT_SETUP_FAILED;
	}
	report_start(&report, CONTROL_FD);
	wrong_argument = read_options(argc, argv, &options);
	/* In any case: to leave it unread would tear the socket. */
	wrong_plan = read_plan(CONTROL_FD, &plan);
	errno = 0;
	if (wrong_argument != NULL)
		fail(&side, STAGE_OPTIONS, "use the argument", wrong_argument);
	if (wrong_plan != NULL)
		fail(&side, STAGE_PLAN, "use the plan:", wrong_plan);

	name_handover(&plan, options.handover);
	if (options.trace && !report_much(&report))
		fail(&side, STAGE_OPTIONS, "trace", "the guest");
	prepare(&side);
	ears.signals = hold_signals(&side);

	enter_world(&side, &options, &plan, &world, &ears.exec);
	start_keeper(&side, &options);
	let_go_of_descriptors(&side);
#ifndef WITHOUT_HIDDEN_MEMORY
	hide_memory(&side);
#endif
	supervise(&side, &options, &plan, &world, &ears);
}
