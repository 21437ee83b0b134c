using System.Net.Sockets;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan;

/// <summary>
/// Payload bytes that our own sockets sent and received by each uplink since the start: names, time, cloud, alerts. On one wire the
/// interface's counters are not the uplink's, so each socket is counted where it is made.
/// </summary>
internal sealed class UplinkMeter
{
    private readonly long[] _sent = new long[Enum.GetValues<UplinkName>().Length];
    private readonly long[] _received = new long[Enum.GetValues<UplinkName>().Length];

    public void Add(UplinkName uplink, long sent, long received)
    {
        Interlocked.Add(ref _sent[(int)uplink], sent);
        Interlocked.Add(ref _received[(int)uplink], received);
    }

    public UplinkBytes Read(UplinkName uplink) =>
        new(Interlocked.Read(ref _sent[(int)uplink]), Interlocked.Read(ref _received[(int)uplink]));

    /// <summary>The connection as a stream that counts; it owns the socket.</summary>
    public Stream Measure(UplinkName uplink, Socket socket) => new MeasuredStream(socket, this, uplink);

    private sealed class MeasuredStream(Socket socket, UplinkMeter meter, UplinkName uplink) : NetworkStream(socket, ownsSocket: true)
    {
        public override int Read(Span<byte> buffer) => Received(base.Read(buffer));

        public override int Read(byte[] buffer, int offset, int count) => Received(base.Read(buffer, offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Received(await base.ReadAsync(buffer, cancellationToken));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            base.Write(buffer);
            meter.Add(uplink, buffer.Length, 0);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            meter.Add(uplink, buffer.Length, 0);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        private int Received(int count)
        {
            meter.Add(uplink, 0, count);
            return count;
        }
    }
}

internal readonly record struct UplinkBytes(long Sent, long Received)
{
    public static UplinkBytes operator +(UplinkBytes a, UplinkBytes b) => new(a.Sent + b.Sent, a.Received + b.Received);

    public static UplinkBytes operator -(UplinkBytes later, UplinkBytes earlier) => new(later.Sent - earlier.Sent, later.Received - earlier.Received);
}
