package io.jcontainerd.transfer;

import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.Transfers;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/** All transfers of a daemon: whoever wants the same at the same time shares the work. */
public final class TransferEngine implements Transfers {
  private final TransferParts parts;
  private final TransferSettings settings;

  /** Transfers by these parts. */
  public TransferEngine(TransferParts parts, TransferSettings settings) {
    this.parts = parts;
    this.settings = settings;
  }

  @Override
  public List<Image> pull(PullRequest request, TransferListener listener) {
    throw absent("pull of " + request.source().reference());
  }

  @Override
  public void push(PushRequest request, TransferListener listener) {
    throw absent("push to " + request.destination().reference());
  }

  @Override
  public List<Image> importArchive(
      InputStream archive, ImportRequest request, TransferListener listener) {
    throw absent("import of archives");
  }

  @Override
  public void exportArchive(
      OutputStream archive, ExportRequest request, TransferListener listener) {
    throw absent("export of archives");
  }

  @Override
  public List<Image> tag(
      ImageSelection source, ImageSelection destination, TransferListener listener) {
    throw absent("tag of " + source.name());
  }

  private NotImplementedException absent(String what) {
    return new NotImplementedException(
        "transfer: " + what + " is not implemented (" + parts.time() + ", " + settings + ")");
  }
}
