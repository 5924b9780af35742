package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.DatagramCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;

/**
 * Tells the service manager that started this process how it is ({@code sd_notify(3)}).
 *
 * <p>Nothing is sent when there is no such manager.
 *
 * @param socket the value of {@code NOTIFY_SOCKET}; empty for none
 */
public record ServiceNotifier(String socket) {
  /** The manager that the environment names, if it names one. */
  public static ServiceNotifier ofEnvironment() {
    String socket = System.getenv("NOTIFY_SOCKET");
    return new ServiceNotifier(socket == null ? "" : socket);
  }

  /** The service does its work. */
  public void ready() throws ErrnoException {
    send("READY=1");
  }

  /** The service is about to end. */
  public void stopping() throws ErrnoException {
    send("STOPPING=1");
  }

  private void send(String state) throws ErrnoException {
    if (socket.isEmpty()) {
      return;
    }
    int fd = DatagramCalls.socket();
    try {
      DatagramCalls.send(fd, socket, state);
    } finally {
      DescriptorCalls.close(fd);
    }
  }
}
