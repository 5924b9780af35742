/**
 * {@code containerd-shim-jrunc-v2}: the program by which a daemon that is not ours uses the shim
 * host. It speaks the shim protocol of containerd's daemons, starts or finds the one host of its
 * daemon, and ends.
 *
 * <p>Folders, all valid for one boot:
 *
 * <pre>
 * /run/jcontainerd/jrunc/lock      held by who starts a host
 * /run/jcontainerd/jrunc/KEY/      the state folder of a host: see HostPlace for the key
 * …/KEY/sockets/NS                 where the host serves a namespace: see NamespaceRequest
 * …/KEY/serving                    whose process serves, and where: see ServingMark
 * …/KEY/coming/NAME                a client of a daemon that knows this file is on its way
 * …/KEY/expected                   touched by who sends a client: the host stays for it
 * BUNDLE/address                   what daemons of release 1.6 read when they start again
 * BUNDLE/shim-state                the path of the host's state folder
 * </pre>
 *
 * <p>Daemons of release 1.6 do not tell a shim the namespace with each call, for they start one for
 * each. So each namespace has a socket of its own, all of them of the one host.
 *
 * <p>The launcher's script answers by itself where these files tell enough, which is nearly always;
 * it and the classes here keep to the same rules.
 */
@NullMarked
package io.jcontainerd.shim.launch;

import org.jspecify.annotations.NullMarked;
