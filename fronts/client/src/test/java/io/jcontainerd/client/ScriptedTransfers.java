package io.jcontainerd.client;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.Transfers;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Transfers that do what a test says, and remember what they were asked for. */
final class ScriptedTransfers implements Transfers {
  final List<Object> asked = Collections.synchronizedList(new ArrayList<>());
  final List<Call> calls = Collections.synchronizedList(new ArrayList<>());

  /** What a transfer does. */
  interface Script {
    void run(Object request, TransferListener listener) throws IOException;
  }

  /** What an import or export does with its archive. */
  interface Bytes<T> {
    void run(T archive, TransferListener listener) throws IOException;
  }

  Script script = (_, _) -> {};
  Bytes<InputStream> importing =
      (archive, _) -> archive.transferTo(OutputStream.nullOutputStream());
  Bytes<OutputStream> exporting = (_, _) -> {};

  private void run(Object request, TransferListener listener) {
    asked.add(request);
    calls.add(Call.current());
    try {
      script.run(request, listener);
    } catch (IOException e) {
      throw new UnavailableException("script: " + e.getMessage(), e);
    }
  }

  @Override
  public List<Image> pull(PullRequest request, TransferListener listener) {
    run(request, listener);
    return List.of();
  }

  @Override
  public void push(PushRequest request, TransferListener listener) {
    run(request, listener);
  }

  @Override
  public List<Image> importArchive(
      InputStream archive, ImportRequest request, TransferListener listener) {
    run(request, listener);
    try {
      importing.run(archive, listener);
    } catch (IOException e) {
      throw new UnavailableException("import: " + e.getMessage(), e);
    }
    return List.of();
  }

  @Override
  public void exportArchive(
      OutputStream archive, ExportRequest request, TransferListener listener) {
    run(request, listener);
    try {
      exporting.run(archive, listener);
    } catch (IOException e) {
      throw new UnavailableException("export: " + e.getMessage(), e);
    }
  }

  @Override
  public List<Image> convert(ConversionRequest request, TransferListener listener) {
    run(request, listener);
    return List.of();
  }

  @Override
  public List<Image> tag(
      ImageSelection source, ImageSelection destination, TransferListener listener) {
    run(List.of(source, destination), listener);
    return List.of();
  }
}
