package io.jcontainerd.shim;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.jcontainerd.api.operations.v1.CancelOperationRequest;
import io.jcontainerd.api.operations.v1.ListOperationsRequest;
import io.jcontainerd.api.operations.v1.ListOperationsResponse;
import io.jcontainerd.api.operations.v1.Operation;
import io.jcontainerd.api.runtime.task.v3.CloseIORequest;
import io.jcontainerd.api.runtime.task.v3.ConnectRequest;
import io.jcontainerd.api.runtime.task.v3.ConnectResponse;
import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CreateTaskResponse;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.ExecProcessRequest;
import io.jcontainerd.api.runtime.task.v3.KillRequest;
import io.jcontainerd.api.runtime.task.v3.PauseRequest;
import io.jcontainerd.api.runtime.task.v3.PidsRequest;
import io.jcontainerd.api.runtime.task.v3.PidsResponse;
import io.jcontainerd.api.runtime.task.v3.ResizePtyRequest;
import io.jcontainerd.api.runtime.task.v3.ResumeRequest;
import io.jcontainerd.api.runtime.task.v3.ShutdownRequest;
import io.jcontainerd.api.runtime.task.v3.StartRequest;
import io.jcontainerd.api.runtime.task.v3.StartResponse;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.runtime.task.v3.StatsRequest;
import io.jcontainerd.api.runtime.task.v3.StatsResponse;
import io.jcontainerd.api.runtime.task.v3.UpdateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.WaitRequest;
import io.jcontainerd.api.runtime.task.v3.WaitResponse;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.ttrpc.CallOptions;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.TtrpcClient;
import java.time.Duration;
import java.util.List;

/** The task service as a daemon calls it. */
final class TaskClient implements AutoCloseable {
  static final String NAMESPACE = "shimtest";
  private static final Duration PATIENCE = Duration.ofSeconds(150);
  private static final String OPERATIONS = "jcontainerd.services.operations.v1.Operations";

  private final TtrpcClient client;
  private final String service;

  TaskClient(TtrpcClient client) {
    this(client, "containerd.task.v3.Task");
  }

  TaskClient(TtrpcClient client, String service) {
    this.client = client;
    this.service = service;
  }

  private <A extends MessageLite> A call(String method, MessageLite request, Parser<A> answer)
      throws InterruptedException {
    return client.call(
        service,
        method,
        request,
        answer,
        CallOptions.within(PATIENCE).with(Metadata.namespace(NAMESPACE)));
  }

  /** What the host says that it does. */
  List<Operation> operations(String filter) throws InterruptedException {
    return client
        .call(
            OPERATIONS,
            "List",
            ListOperationsRequest.newBuilder().addFilters(filter).build(),
            ListOperationsResponse.parser(),
            CallOptions.within(PATIENCE).with(Metadata.namespace(NAMESPACE)))
        .getOperationsList();
  }

  /** Has the host end what it does. */
  void cancel(String operation) throws InterruptedException {
    var _ =
        client.call(
            OPERATIONS,
            "Cancel",
            CancelOperationRequest.newBuilder().setId(operation).build(),
            Empty.parser(),
            CallOptions.within(PATIENCE).with(Metadata.namespace(NAMESPACE)));
  }

  int create(CreateTaskRequest request) throws InterruptedException {
    return call("Create", request, CreateTaskResponse.parser()).getPid();
  }

  int start(String id, String exec) throws InterruptedException {
    return call(
            "Start",
            StartRequest.newBuilder().setId(id).setExecId(exec).build(),
            StartResponse.parser())
        .getPid();
  }

  StateResponse state(String id, String exec) throws InterruptedException {
    return call(
        "State",
        StateRequest.newBuilder().setId(id).setExecId(exec).build(),
        StateResponse.parser());
  }

  int await(String id, String exec) throws InterruptedException {
    return call(
            "Wait",
            WaitRequest.newBuilder().setId(id).setExecId(exec).build(),
            WaitResponse.parser())
        .getExitStatus();
  }

  DeleteResponse delete(String id, String exec) throws InterruptedException {
    return call(
        "Delete",
        DeleteRequest.newBuilder().setId(id).setExecId(exec).build(),
        DeleteResponse.parser());
  }

  void kill(String id, String exec, int signal, boolean all) throws InterruptedException {
    call(
        "Kill",
        KillRequest.newBuilder().setId(id).setExecId(exec).setSignal(signal).setAll(all).build(),
        Empty.parser());
  }

  void exec(String id, String exec, String process, Stdio stdio) throws InterruptedException {
    call(
        "Exec",
        ExecProcessRequest.newBuilder()
            .setId(id)
            .setExecId(exec)
            .setStdin(stdio.stdin())
            .setStdout(stdio.stdout())
            .setStderr(stdio.stderr())
            .setTerminal(stdio.terminal())
            .setSpec(
                Any.newBuilder()
                    .setTypeUrl(Spec.PROCESS_TYPE_URL)
                    .setValue(ByteString.copyFromUtf8(process)))
            .build(),
        Empty.parser());
  }

  void pause(String id) throws InterruptedException {
    call("Pause", PauseRequest.newBuilder().setId(id).build(), Empty.parser());
  }

  void resume(String id) throws InterruptedException {
    call("Resume", ResumeRequest.newBuilder().setId(id).build(), Empty.parser());
  }

  PidsResponse pids(String id) throws InterruptedException {
    return call("Pids", PidsRequest.newBuilder().setId(id).build(), PidsResponse.parser());
  }

  Any stats(String id) throws InterruptedException {
    return call("Stats", StatsRequest.newBuilder().setId(id).build(), StatsResponse.parser())
        .getStats();
  }

  void resize(String id, String exec, int columns, int rows) throws InterruptedException {
    call(
        "ResizePty",
        ResizePtyRequest.newBuilder()
            .setId(id)
            .setExecId(exec)
            .setWidth(columns)
            .setHeight(rows)
            .build(),
        Empty.parser());
  }

  void closeStdin(String id, String exec) throws InterruptedException {
    call(
        "CloseIO",
        CloseIORequest.newBuilder().setId(id).setExecId(exec).setStdin(true).build(),
        Empty.parser());
  }

  void update(String id, String resources) throws InterruptedException {
    call(
        "Update",
        UpdateTaskRequest.newBuilder()
            .setId(id)
            .setResources(
                Any.newBuilder()
                    .setTypeUrl(Spec.RESOURCES_TYPE_URL)
                    .setValue(ByteString.copyFromUtf8(resources)))
            .build(),
        Empty.parser());
  }

  ConnectResponse connect(String id) throws InterruptedException {
    return call("Connect", ConnectRequest.newBuilder().setId(id).build(), ConnectResponse.parser());
  }

  void shutdown() throws InterruptedException {
    call("Shutdown", ShutdownRequest.getDefaultInstance(), Empty.parser());
  }

  @Override
  public void close() {
    client.close();
  }
}
