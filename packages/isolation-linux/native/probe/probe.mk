# confine-probe, which tries what confine-launch needs. For native/Makefile to include.
ifndef PROBE_SOURCES

PROBE_SOURCES = main.c namespaces.c mounts.c restrictions.c notify.c processes.c cgroups.c
PROBE_HEADERS = probe/probe.h probe/filter.h mounts.h
PROBE_OBJECTS = $(PROBE_SOURCES:%.c=$(BUILD)/probe/%.o)

all: $(OUT)/confine-probe

$(OUT)/confine-probe: $(PROBE_OBJECTS) | $(OUT)
	$(CC) $(FLAGS) $(CFLAGS) $(LINK) $(LDFLAGS) -s -o $@.$$$$ $(PROBE_OBJECTS) && mv $@.$$$$ $@

$(BUILD)/probe/%.o: probe/%.c $(PROBE_HEADERS) probe/probe.mk Makefile | $(BUILD)/probe $(KERNEL)
	$(CC) $(FLAGS) $(CFLAGS) -c -o $@.$$$$ $< && mv $@.$$$$ $@

$(BUILD)/probe:
	mkdir -p $@

endif
