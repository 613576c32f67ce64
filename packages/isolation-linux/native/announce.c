/*
 * What holds the guest: looked at once the program runs, and told to the host
 * when nothing of it is missing any more.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "keeper.h"
#include "launch.h"
#include "supervise.h"

void announce(struct supervisor *supervisor)
{
	struct side *side = supervisor->side;

	if (!supervisor->is_ready || supervisor->is_announced)
		return;
	if (side->keeper >= 0)
		supervisor->layers |= hear_keeper(side, ORDER_MOVE);
	supervisor->is_announced = true;
	report_ready(side->report, supervisor->world, supervisor->layers,
		     supervisor->landlock);
}

void limit_cgroups(struct supervisor *supervisor)
{
	const uint32_t promised =
		supervisor->layers & (LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS);

	if (promised == 0)
		return;
	order_keeper(supervisor->side, ORDER_LIMIT, 0);
	if ((hear_keeper(supervisor->side, ORDER_LIMIT) & promised) == promised)
		return;
	errno = 0;
	fail(supervisor->side, STAGE_SUPERVISE, "hold the limits of",
	     "the guest's cgroups");
}

bool is_out_of_memory(const struct supervisor *supervisor)
{
	if (!WIFSIGNALED(supervisor->status) ||
	    WTERMSIG(supervisor->status) != SIGKILL ||
	    (supervisor->layers & LAYER_CGROUP_MEMORY) == 0)
		return false;
	order_keeper(supervisor->side, ORDER_TELL, 0);
	return hear_keeper(supervisor->side, ORDER_TELL) != 0;
}

void become_ready(struct supervisor *supervisor)
{
	struct side *side = supervisor->side;
	struct world *world = supervisor->world;

	watch_memory(side, &supervisor->watch, supervisor->notifier.options,
		     supervisor->notifier.guest);
	watch_threads(side, &supervisor->notifier.crowd,
		      supervisor->notifier.options, world,
		      supervisor->notifier.guest);
	/*
	 * Where no user namespace gives power over the guest, it takes the
	 * same identity to read its memory and to end it. Its capabilities go
	 * with the old one.
	 */
	if (world->is_changed) {
		take_identity(side, world->uid, world->gid);
		die_with_host(side);
	}
	verify_guest(side, supervisor->notifier.options, world,
		     supervisor->layers, supervisor->notifier.guest);
	forbid_new_privileges(side);
	drop_capabilities(side);
	filter_supervisor(side, supervisor->watch.statm,
			  supervisor->notifier.crowd.tasks);
	supervisor->is_ready = true;
	if (side->keeper < 0)
		announce(supervisor);
	else
		order_keeper(side, ORDER_MOVE, supervisor->notifier.guest);
}
