package io.jcontainerd.diff.stream;

import io.jcontainerd.linux.Isal;
import io.jcontainerd.linux.IsalInflater;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Who inflates; what it is, is logged when the first is needed. */
final class Inflaters {
  private static final Logger LOG = System.getLogger(Inflaters.class.getName());

  private Inflaters() {}

  private static final class Found {
    static final Isal ISAL = told(Isal.ofMachine());

    private static Isal told(Isal isal) {
      LOG.log(
          Level.INFO,
          "gzip layers are inflated by {0}",
          isal.isUsable() ? isal : "the JDK (" + isal + ")");
      return isal;
    }
  }

  /** The fastest that there is. */
  static Inflating best() {
    return isal().orElseGet(Inflaters::jdk);
  }

  static Inflating jdk() {
    return new Jdk(new Inflater(true));
  }

  static Optional<Inflating> isal() {
    return Found.ISAL.inflater().map(Native::new);
  }

  private record Jdk(Inflater inflater) implements Inflating {
    @Override
    public boolean inflate(ByteBuffer from, ByteBuffer to) throws DataFormatException {
      inflater.setInput(from);
      int _ = inflater.inflate(to);
      if (inflater.needsDictionary()) {
        throw new DataFormatException("a dictionary is needed");
      }
      return inflater.finished();
    }

    @Override
    public void reset() {
      inflater.reset();
    }

    @Override
    public void close() {
      inflater.end();
    }
  }

  private record Native(IsalInflater inflater) implements Inflating {
    @Override
    public boolean inflate(ByteBuffer from, ByteBuffer to) throws DataFormatException {
      return inflater.inflate(from, to);
    }

    @Override
    public void reset() {
      inflater.reset();
    }

    @Override
    public void close() {
      inflater.close();
    }
  }
}
