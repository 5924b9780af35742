package io.jcontainerd.endure;

import io.jcontainerd.linux.Mounter;

/**
 * What workers share.
 *
 * @param mounter mounts what they write into themselves
 */
record Tools(Model model, Gate gate, Ledger ledger, Problems problems, Mounter mounter) {}
