package io.jcontainerd.crash.disk;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A kernel whose synchronisations are recorded. */
public final class RecordingKernel implements Kernel {
  private final Kernel real;
  private final Recording recording;

  /** Records what this kernel is asked to make durable. */
  public RecordingKernel(Kernel real, Recording recording) {
    this.real = real;
    this.recording = recording;
  }

  @Override
  public void mount(List<Mount> mounts, Path target) throws IOException {
    real.mount(mounts, target);
  }

  @Override
  public void unmountAll(Path target) throws IOException {
    real.unmountAll(target);
  }

  @Override
  public void detachAll(Path target) throws IOException {
    real.detachAll(target);
  }

  @Override
  public List<MountPoint> mountTable() throws IOException {
    return real.mountTable();
  }

  @Override
  public Space space(Path path) throws IOException {
    return real.space(path);
  }

  @Override
  public Synchroniser synchroniser(Path path) throws IOException {
    return new Recorded(real.synchroniser(path), recording);
  }

  private record Recorded(Synchroniser synchroniser, Recording recording) implements Synchroniser {
    @Override
    public void synchronise() throws IOException {
      synchroniser.synchronise();
      recording.add(new Op.ForceAll());
    }

    @Override
    public void close() throws IOException {
      synchroniser.close();
    }
  }

  @Override
  public List<String> extendedAttributes(Path path) throws IOException {
    return real.extendedAttributes(path);
  }

  @Override
  public Optional<byte[]> extendedAttribute(Path path, String name) throws IOException {
    return real.extendedAttribute(path, name);
  }

  @Override
  public void setExtendedAttribute(Path path, String name, byte @Nullable [] value)
      throws IOException {
    real.setExtendedAttribute(path, name, value);
  }

  @Override
  public String bootId() throws IOException {
    return real.bootId();
  }
}
