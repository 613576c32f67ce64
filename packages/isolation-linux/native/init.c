/*
 * Init, pid 1 of the guest's namespaces. It builds the guest's world, starts
 * the guest, and then has two things to do: tell how the guest ended, and die
 * with the supervisor. Its own end takes every process of the guest along.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static _Noreturn void wait_for_end(const struct side *side, pid_t guest,
				   const sigset_t *open)
{
	for (;;) {
		struct pollfd supervisor = { .fd = side->socket };
		struct packet packet = { .kind = PACKET_ENDED };
		int status;
		pid_t ended;

		/* The supervisor never writes here again: any event is its end. */
		if (ppoll(&supervisor, 1, NULL, open) > 0)
			_exit(EXIT_SETUP_FAILED);
		while ((ended = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
			if (ended != guest)
				continue;
			packet.value = (uint32_t)status;
			send_packet(side, &packet);
			_exit(0);
		}
	}
}

void run_init(struct options *options, const struct plan *plan,
	      const struct sockets *sockets)
{
	const struct side side = { .socket = sockets->init[1] };
	struct packet layers = {
		.kind = PACKET_LAYERS,
		.value = LAYER_USER_NS | LAYER_MOUNT_NS | LAYER_PID_NS |
			 LAYER_NET_NS | LAYER_IPC_NS | LAYER_UTS_NS |
			 LAYER_CGROUP_NS | LAYER_READ_ONLY_ROOT |
			 LAYER_NO_CAPABILITIES,
	};
	sigset_t open;
	pid_t guest;
	char go;

	close(sockets->init[0]);
	close(sockets->exec[0]);
	/* Before the identity is mapped nothing else may be done. */
	if (read(side.socket, &go, 1) != 1)
		_exit(EXIT_SETUP_FAILED);
	die_with_supervisor(&side);
	forbid_nested_namespaces(&side, &layers.value);
	detach_places(&side, options, ALL_OF_THEM);
	/* Files of the new root must belong to an identity that exists in here. */
	take_identity(&side);
	build_root(&side, options);
	take_hostname(&side, options->hostname);
	drop_capabilities_for_good(&side);
	forbid_new_privileges(&side);
	hide_memory(&side);
	die_with_supervisor(&side);
	hold_child_signal(&side, &open);
	send_packet(&side, &layers);

	guest = fork();
	if (guest < 0)
		fail(&side, STAGE_EXEC, "fork", "");
	if (guest == 0)
		run_guest(options, plan, sockets->exec[1]);
	close_all_but(&side, side.socket);
	filter_init(&side);
	wait_for_end(&side, guest, &open);
}
