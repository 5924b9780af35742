package io.jcontainerd.oci.runtime;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Whom a container's own {@code /etc/passwd} and {@code /etc/group} know. Lines that do not follow
 * passwd(5) or group(5) are passed over, as the C library does.
 */
public final class UserDatabase {
  private record Account(String name, long uid, long gid) {}

  private record Group(String name, long gid, List<String> members) {}

  private final List<Account> accounts;
  private final List<Group> groups;

  private UserDatabase(List<Account> accounts, List<Group> groups) {
    this.accounts = accounts;
    this.groups = groups;
  }

  /** Reads both files; an absent one knows nobody. */
  public static UserDatabase of(RootFiles files) {
    return new UserDatabase(
        lines(files, "/etc/passwd").flatMap(l -> account(l).stream()).toList(),
        lines(files, "/etc/group").flatMap(l -> group(l).stream()).toList());
  }

  /**
   * The ids behind {@code user}, {@code uid}, {@code user:group}, {@code uid:gid} and mixtures.
   *
   * <p>A number needs no entry in the files; without one its group is 0. Without a named group the
   * groups that list the user as a member are added.
   *
   * @throws NotFoundException for a name that the files do not know
   */
  public SpecUser resolve(String text) {
    String[] parts = text.split(":", -1);
    if (parts.length > 2 || parts[0].isEmpty() || parts[parts.length - 1].isEmpty()) {
      throw new InvalidArgumentException("not a user: " + text);
    }
    OptionalLong number = number(parts[0]);
    Optional<Account> account =
        accounts.stream()
            .filter(a -> number.isPresent() ? a.uid == number.getAsLong() : a.name.equals(parts[0]))
            .findFirst();
    if (account.isEmpty() && number.isEmpty()) {
      throw new NotFoundException("user " + parts[0] + " is not in the image's /etc/passwd");
    }
    long uid = account.map(Account::uid).orElseGet(number::getAsLong);
    if (parts.length == 2) {
      long gid = gid(parts[1]);
      return new SpecUser(uid, gid, List.of(gid));
    }
    long gid = account.map(Account::gid).orElse(0L);
    LongStream member =
        account.stream()
            .flatMap(a -> groups.stream().filter(g -> g.members.contains(a.name)))
            .mapToLong(Group::gid);
    return new SpecUser(
        uid, gid, LongStream.concat(LongStream.of(gid), member).distinct().boxed().toList());
  }

  private long gid(String text) {
    OptionalLong number = number(text);
    return number.isPresent()
        ? number.getAsLong()
        : groups.stream()
            .filter(g -> g.name.equals(text))
            .findFirst()
            .orElseThrow(
                () -> new NotFoundException("group " + text + " is not in the image's /etc/group"))
            .gid();
  }

  private static Stream<String> lines(RootFiles files, String path) {
    return files.read(path).stream()
        .flatMap(bytes -> new String(bytes, StandardCharsets.UTF_8).lines())
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("#"));
  }

  private static Optional<Account> account(String line) {
    String[] f = line.split(":", -1);
    if (f.length < 4) {
      return Optional.empty();
    }
    OptionalLong uid = number(f[2]);
    OptionalLong gid = number(f[3]);
    return uid.isPresent() && gid.isPresent()
        ? Optional.of(new Account(f[0], uid.getAsLong(), gid.getAsLong()))
        : Optional.empty();
  }

  private static Optional<Group> group(String line) {
    String[] f = line.split(":", -1);
    if (f.length < 3) {
      return Optional.empty();
    }
    List<String> members = new ArrayList<>();
    if (f.length > 3) {
      Arrays.stream(f[3].split(",", -1)).map(String::strip).forEach(members::add);
    }
    OptionalLong gid = number(f[2]);
    return gid.isPresent()
        ? Optional.of(new Group(f[0], gid.getAsLong(), List.copyOf(members)))
        : Optional.empty();
  }

  private static OptionalLong number(String text) {
    if (text.isEmpty() || text.length() > 10 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return OptionalLong.empty();
    }
    long value = Long.parseLong(text);
    return value <= 0xffff_ffffL ? OptionalLong.of(value) : OptionalLong.empty();
  }
}
