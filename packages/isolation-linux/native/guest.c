/*
 * The guest's side of the launcher: the last steps before the program, in the
 * process that becomes it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"
#include "range.h"

/* Keeps 0, 1, 2, the channel, and the socket at its agreed place until exec. */
static void arrange_descriptors(struct side *side, int handover)
{
	if (dup3(side->socket, handover, O_CLOEXEC) < 0)
		fail(side, STAGE_PRIVILEGES, "move the socket", "");
	side->socket = handover;
#ifndef WITHOUT_CLOSED_DESCRIPTORS
	close_from_to(side, CHANNEL_FD + 1, (unsigned int)handover - 1);
	close_from_to(side, (unsigned int)handover + 1, ~0u);
#endif
}

/* From here on the supervisor decides about this process. */
static void hand_over(const struct side *side, int listener,
		      const struct packet *layers)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec body = { (void *)layers, sizeof(*layers) };
	struct msghdr message = {
		.msg_iov = &body,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &listener, sizeof(int));
	/* Not MSG_NOSIGNAL: nothing but the end of this process is left if it fails. */
	if (sendmsg(side->socket, &message, 0) != (ssize_t)sizeof(*layers))
		_exit(EXIT_SETUP_FAILED);
	close(listener);
}

void run_guest(const struct options *options, const struct plan *plan,
	       const struct world *world, int socket, pid_t init,
	       bool has_no_terminal)
{
	struct side side = { .socket = socket };
	struct packet layers = {
		.kind = PACKET_LAYERS,
		.value = LAYER_NO_NEW_PRIVS | LAYER_SECCOMP_NOTIFY |
			 (options->is_sealed ? LAYER_NO_NEW_DESCRIPTORS : 0),
	};

	/* The supervisor that dies takes init along, and init the guest. */
	die_with_init(&side, init);

	/* No terminal of the host's to type into, and no part in its signals. */
	if ((has_no_terminal ? setpgid(0, 0) : setsid()) < 0)
		fail(&side, STAGE_PRIVILEGES, "leave the process group", "");
	if (options->nice > 0)
		lower_priority(&side, options->nice);
	reset_signals(&side);
	umask(077);
	assert_places(&side, options);
	assert_grants(&side, options);
	layers.landlock = restrict_files(&side, options);
	if (layers.landlock > 0)
		assert_restricted(&side);
	arrange_descriptors(&side, options->handover);
	limit_resources(&side, options, world);
	hand_over(&side, filter_guest(&side, plan, options, world), &layers);
	execve(options->command[0], options->command, options->environment);
	fail(&side, STAGE_EXEC, "execute", options->command[0]);
}
