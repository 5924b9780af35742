package io.jcontainerd.linux;

import io.jcontainerd.core.ports.DamagedFileException;
import io.jcontainerd.core.ports.NoSpaceException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** Turns error numbers into the exceptions that the ports promise; the number stays the cause. */
final class Failures {
  private Failures() {}

  static IOException told(ErrnoException e, Path path) {
    String file = path.toString();
    FileSystemException told =
        switch (e.errno()) {
          case Errno.ENOENT -> new NoSuchFileException(file);
          case Errno.EEXIST -> new FileAlreadyExistsException(file);
          case Errno.ENOTEMPTY -> new DirectoryNotEmptyException(file);
          case Errno.EACCES, Errno.EPERM -> new AccessDeniedException(file, null, e.getMessage());
          case Errno.ENOTDIR -> new NotDirectoryException(file);
          case Errno.ELOOP -> new FileSystemLoopException(file);
          case Errno.ENOSPC, Errno.EDQUOT -> new NoSpaceException(file);
          case Errno.EIO, Errno.EUCLEAN, Errno.EBADMSG ->
              new DamagedFileException(file, String.valueOf(e.getMessage()));
          default -> new FileSystemException(file, null, e.getMessage());
        };
    told.initCause(e);
    return told;
  }
}
