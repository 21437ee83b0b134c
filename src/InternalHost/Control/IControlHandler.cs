namespace InternalHost.Control;

/// <summary>Port to the running daemon's decisions, behind the control socket. Called from several connections at once.</summary>
public interface IControlHandler
{
    Task<ControlReply> HandleAsync(ControlRequest request, CancellationToken ct);
}
