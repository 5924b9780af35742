package io.jcontainerd.bench.layers;

import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarReader;
import io.jcontainerd.oci.tar.TarWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** An archive in a file, of which parts are written as archives of their own. */
public final class TreeArchive {
  private static final int BUFFER = 1 << 20;

  private final Path file;

  /** An archive that exists. */
  public TreeArchive(Path file) {
    this.file = file;
  }

  private interface Visit {
    void entry(int position, TarEntry entry, TarReader body) throws IOException;
  }

  private void walk(Visit visit) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
      var reader = new TarReader(() -> channel.read(buffer.clear()) < 0 ? null : buffer.flip());
      int position = 0;
      for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
        visit.entry(position++, entry, reader);
      }
    }
  }

  /** Its entries, in order. */
  public List<Member> members() throws IOException {
    var members = new ArrayList<Member>();
    walk((_, entry, _) -> members.add(Member.of(entry)));
    return members;
  }

  /** Writes an archive of the entries at the given positions; leaves the stream open. */
  public void write(BitSet positions, OutputStream out) throws IOException {
    var buffered = new BufferedOutputStream(out, BUFFER);
    try (TarWriter tar = new TarWriter(buffered)) {
      walk(
          (position, entry, body) -> {
            if (positions.get(position)) {
              tar.entry(entry);
              copy(body, tar);
            }
          });
    }
    buffered.flush();
  }

  private static void copy(TarReader body, TarWriter tar) throws IOException {
    for (ByteBuffer piece = body.body(); piece != null; piece = body.body()) {
      tar.body(piece.array(), piece.arrayOffset() + piece.position(), piece.remaining());
    }
  }

  /** Writes the bytes of the largest file in it. */
  public void largest(OutputStream out) throws IOException {
    List<Member> members = members();
    int largest = 0;
    for (int i = 1; i < members.size(); i++) {
      largest = members.get(i).size() > members.get(largest).size() ? i : largest;
    }
    int wanted = largest;
    walk(
        (position, _, body) -> {
          if (position == wanted) {
            for (ByteBuffer piece = body.body(); piece != null; piece = body.body()) {
              out.write(piece.array(), piece.arrayOffset() + piece.position(), piece.remaining());
            }
          }
        });
  }
}
