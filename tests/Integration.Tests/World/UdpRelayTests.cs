using System.Net;
using System.Net.Sockets;
using Lab.World;

namespace Integration.Tests.World;

public sealed class UdpRelayTests : IDisposable
{
    private readonly LoopbackBlock _block = LoopbackBlock.Take();
    private readonly Link _primary;
    private readonly Link _backup;
    private readonly UdpClient _server;
    private readonly CancellationTokenSource _ending = new();

    public UdpRelayTests()
    {
        _primary = new Link("primary", _block.Primary);
        _backup = new Link("backup", _block.Backup);
        _server = new UdpClient(new IPEndPoint(_block.Address(128), 0));
        _ = EchoAsync();
    }

    public void Dispose()
    {
        _ending.Cancel();
        _server.Dispose();
        _block.Dispose();
    }

    [Fact]
    public async Task Dark_link_loses_datagrams_and_the_other_link_does_not()
    {
        await using var relay = UdpRelay.Start(new IPEndPoint(_block.Address(53), 0), (IPEndPoint)_server.Client.LocalEndPoint!, new Links(_primary, _backup));
        var before = await AskAsync(relay, _block.Primary);

        _primary.Dark = true;
        var dark = await AskAsync(relay, _block.Primary, milliseconds: 500);
        var other = await AskAsync(relay, _block.Backup);
        _primary.Dark = false;
        var after = await AskAsync(relay, _block.Primary);

        Assert.Equal((true, false, true, true), (before, dark, other, after));
        Assert.Equal((6, 6), (_primary.BytesUp, _primary.BytesDown));
        Assert.Equal((3, 3), (_backup.BytesUp, _backup.BytesDown));
    }

    private static async Task<bool> AskAsync(UdpRelay relay, IPAddress source, int milliseconds = 20_000)
    {
        using var client = new UdpClient(new IPEndPoint(source, 0));
        await client.SendAsync("abc"u8.ToArray(), relay.Endpoint);
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
        try
        {
            return (await client.ReceiveAsync(limit.Token)).Buffer.AsSpan().SequenceEqual("abc"u8);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task EchoAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            var received = await _server.ReceiveAsync(_ending.Token);
            await _server.SendAsync(received.Buffer, received.RemoteEndPoint, _ending.Token);
        }
    }
}
