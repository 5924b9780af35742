package io.jcontainerd.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows of words in aligned columns. */
final class Table {
  private final List<String> heads;
  private final List<List<String>> rows = new ArrayList<>();

  /** A head that begins with {@code >} is of a column of numbers. */
  Table(String... heads) {
    this.heads = List.of(heads);
  }

  void add(String... cells) {
    rows.add(List.of(cells));
  }

  void print(PrintWriter out) {
    List<List<String>> all = new ArrayList<>();
    all.add(heads.stream().map(head -> head.startsWith(">") ? head.substring(1) : head).toList());
    all.addAll(rows);
    int[] widths = new int[heads.size()];
    for (List<String> row : all) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : all) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        String space = " ".repeat(widths[i] - cell.length());
        line.append(i == 0 ? "" : "  ");
        line.append(heads.get(i).startsWith(">") ? space + cell : cell + space);
      }
      out.println(line.toString().stripTrailing());
    }
  }
}
