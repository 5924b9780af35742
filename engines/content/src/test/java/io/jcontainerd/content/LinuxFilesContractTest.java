package io.jcontainerd.content;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.testkit.contract.FilesContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The stand-in that most tests here run on may stand in only for this. */
@SuppressWarnings("NullAway.Init")
class LinuxFilesContractTest extends FilesContract {
  @TempDir Path folder;

  @Override
  protected Files files() {
    return new LinuxFiles();
  }

  @Override
  protected Path root() {
    return folder;
  }
}
