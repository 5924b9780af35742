package io.jcontainerd.shim;

import com.google.protobuf.Any;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.jcontainerd.api.cgroups.v1.BlkIOEntry;
import io.jcontainerd.api.cgroups.v1.BlkIOStat;
import io.jcontainerd.api.cgroups.v1.CPUUsage;
import io.jcontainerd.api.cgroups.v1.HugetlbStat;
import io.jcontainerd.api.cgroups.v1.MemoryEntry;
import io.jcontainerd.api.cgroups.v1.MemoryOomControl;
import io.jcontainerd.api.cgroups.v1.Throttle;
import io.jcontainerd.api.cgroups.v2.HugeTlbStat;
import io.jcontainerd.api.cgroups.v2.IOEntry;
import io.jcontainerd.api.cgroups.v2.IOStat;
import io.jcontainerd.api.cgroups.v2.MemoryEvents;
import io.jcontainerd.api.cgroups.v2.PSIData;
import io.jcontainerd.api.cgroups.v2.PSIStats;
import io.jcontainerd.linux.cgroup.CgroupV1;
import io.jcontainerd.linux.cgroup.CgroupV2;
import io.jcontainerd.linux.cgroup.ContainerCgroup;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A control group's counters as the metrics messages of containerd's clients. */
final class CgroupMetrics {
  /** Names in {@code memory.stat} of version 1 that the message spells otherwise. */
  private static final Map<String, String> V1_NAMES =
      Map.of(
          "pgpgin", "pg_pg_in",
          "pgpgout", "pg_pg_out",
          "pgfault", "pg_fault",
          "pgmajfault", "pg_maj_fault",
          "total_pgpgin", "total_pg_pg_in",
          "total_pgpgout", "total_pg_pg_out",
          "total_pgfault", "total_pg_fault",
          "total_pgmajfault", "total_pg_maj_fault",
          "hierarchical_memsw_limit", "hierarchical_swap_limit");

  private CgroupMetrics() {}

  /** Reads the group's counters into a message. */
  static Any read(ContainerCgroup group) throws IOException {
    Message message =
        switch (group) {
          case CgroupV1 v1 -> of(v1.metrics());
          case CgroupV2 v2 -> of(v2.metrics());
        };
    return Any.newBuilder()
        .setTypeUrl(message.getDescriptorForType().getFullName())
        .setValue(message.toByteString())
        .build();
  }

  private static Message of(CgroupV1.Metrics metrics) {
    var message = io.jcontainerd.api.cgroups.v1.Metrics.newBuilder();
    for (CgroupV1.HugePages pages : metrics.hugePages()) {
      message.addHugetlb(
          HugetlbStat.newBuilder()
              .setPagesize(pages.size())
              .setUsage(pages.usage())
              .setMax(pages.max())
              .setFailcnt(pages.failures()));
    }
    if (metrics.pids().isPresent()) {
      long limit = metrics.pidsLimit().orElse(0);
      message.setPids(
          io.jcontainerd.api.cgroups.v1.PidsStat.newBuilder()
              .setCurrent(metrics.pids().getAsLong())
              .setLimit(limit == -1 ? 0 : limit));
    }
    message.setCpu(
        io.jcontainerd.api.cgroups.v1.CPUStat.newBuilder()
            .setUsage(
                CPUUsage.newBuilder()
                    .setTotal(metrics.cpuTotal())
                    .setUser(metrics.cpuUser())
                    .setKernel(metrics.cpuKernel())
                    .addAllPerCpu(metrics.cpuEach()))
            .setThrottling(
                Throttle.newBuilder()
                    .setPeriods(metrics.throttling().getOrDefault("nr_periods", 0L))
                    .setThrottledPeriods(metrics.throttling().getOrDefault("nr_throttled", 0L))
                    .setThrottledTime(metrics.throttling().getOrDefault("throttled_time", 0L))));
    var memory = io.jcontainerd.api.cgroups.v1.MemoryStat.newBuilder();
    metrics
        .memory()
        .forEach((name, value) -> set(memory, V1_NAMES.getOrDefault(name, name), value));
    entry(metrics, "memory").ifPresent(memory::setUsage);
    entry(metrics, "memsw").ifPresent(memory::setSwap);
    entry(metrics, "kmem").ifPresent(memory::setKernel);
    entry(metrics, "kmem.tcp").ifPresent(memory::setKernelTcp);
    message.setMemory(memory);
    if (!metrics.oom().isEmpty()) {
      message.setMemoryOomControl(
          MemoryOomControl.newBuilder()
              .setOomKillDisable(metrics.oom().getOrDefault("oom_kill_disable", 0L))
              .setUnderOom(metrics.oom().getOrDefault("under_oom", 0L))
              .setOomKill(metrics.oom().getOrDefault("oom_kill", 0L)));
    }
    message.setBlkio(blkio(metrics.blockOperations()));
    return message.build();
  }

  private static Optional<MemoryEntry> entry(CgroupV1.Metrics metrics, String kind) {
    return Optional.ofNullable(metrics.memoryUsage().get(kind))
        .map(
            usage ->
                MemoryEntry.newBuilder()
                    .setLimit(usage.limit())
                    .setUsage(usage.usage())
                    .setMax(usage.max())
                    .setFailcnt(usage.failures())
                    .build());
  }

  private static BlkIOStat blkio(Map<String, List<CgroupV1.BlockOperations>> files) {
    BlkIOStat.Builder stat = BlkIOStat.newBuilder();
    files.forEach(
        (file, operations) -> {
          String name = file.startsWith("time") ? "io_" + file : file;
          FieldDescriptor field = BlkIOStat.getDescriptor().findFieldByName(name);
          if (field != null) {
            for (CgroupV1.BlockOperations operation : operations) {
              stat.addRepeatedField(
                  field,
                  BlkIOEntry.newBuilder()
                      .setOp(operation.operation())
                      .setDevice(operation.device())
                      .setMajor(operation.major())
                      .setMinor(operation.minor())
                      .setValue(operation.value())
                      .build());
            }
          }
        });
    return stat.build();
  }

  private static Message of(CgroupV2.Metrics metrics) {
    var message = io.jcontainerd.api.cgroups.v2.Metrics.newBuilder();
    if (metrics.pids().isPresent()) {
      long limit = metrics.pidsLimit().orElse(0);
      message.setPids(
          io.jcontainerd.api.cgroups.v2.PidsStat.newBuilder()
              .setCurrent(metrics.pids().getAsLong())
              .setLimit(limit));
    }
    var cpu = io.jcontainerd.api.cgroups.v2.CPUStat.newBuilder();
    metrics.cpu().forEach((name, value) -> set(cpu, name, value));
    metrics.cpuPressure().map(CgroupMetrics::psi).ifPresent(cpu::setPsi);
    message.setCpu(cpu);
    var memory = io.jcontainerd.api.cgroups.v2.MemoryStat.newBuilder();
    metrics.memory().forEach((name, value) -> set(memory, name, value));
    metrics.memoryUsage().ifPresent(memory::setUsage);
    metrics.memoryLimit().ifPresent(memory::setUsageLimit);
    metrics.memoryMax().ifPresent(memory::setMaxUsage);
    metrics.swapUsage().ifPresent(memory::setSwapUsage);
    metrics.swapLimit().ifPresent(memory::setSwapLimit);
    metrics.swapMax().ifPresent(memory::setSwapMaxUsage);
    metrics.memoryPressure().map(CgroupMetrics::psi).ifPresent(memory::setPsi);
    message.setMemory(memory);
    IOStat.Builder io = IOStat.newBuilder();
    for (CgroupV2.BlockOperations operations : metrics.blockOperations()) {
      io.addUsage(
          IOEntry.newBuilder()
              .setMajor(operations.major())
              .setMinor(operations.minor())
              .setRbytes(operations.readBytes())
              .setWbytes(operations.writtenBytes())
              .setRios(operations.reads())
              .setWios(operations.writes()));
    }
    metrics.ioPressure().map(CgroupMetrics::psi).ifPresent(io::setPsi);
    message.setIo(io);
    for (CgroupV2.HugePages pages : metrics.hugePages()) {
      message.addHugetlb(
          HugeTlbStat.newBuilder()
              .setPagesize(pages.size())
              .setCurrent(pages.usage())
              .setMax(pages.max())
              .setFailcnt(pages.failures()));
    }
    MemoryEvents.Builder events = MemoryEvents.newBuilder();
    metrics.memoryEvents().forEach((name, value) -> set(events, name, value));
    message.setMemoryEvents(events);
    return message.build();
  }

  private static PSIStats psi(CgroupV2.Pressures pressures) {
    return PSIStats.newBuilder()
        .setSome(psi(pressures.some()))
        .setFull(psi(pressures.full()))
        .build();
  }

  private static PSIData psi(CgroupV2.Pressure pressure) {
    return PSIData.newBuilder()
        .setAvg10(pressure.last10())
        .setAvg60(pressure.last60())
        .setAvg300(pressure.last300())
        .setTotal(pressure.total())
        .build();
  }

  /** Sets the field of that name, if the message has a number of that name. */
  private static void set(Message.Builder builder, String name, long value) {
    FieldDescriptor field = builder.getDescriptorForType().findFieldByName(name);
    if (field != null && field.getJavaType() == FieldDescriptor.JavaType.LONG) {
      builder.setField(field, value);
    }
  }
}
