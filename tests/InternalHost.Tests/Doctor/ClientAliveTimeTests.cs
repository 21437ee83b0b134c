using InternalHost.Doctor;

namespace InternalHost.Tests.Doctor;

public sealed class ClientAliveTimeTests
{
    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10", 15, 3, 120, 120)]
    [InlineData("SSH-2.0-OpenSSH_9.2p1", 2, 3, 16, 16)]
    [InlineData("SSH-2.0-OpenSSH_9.2p1", 10, 2, 60, 60)]
    [InlineData("SSH-2.0-OpenSSH_9.4p1", 5, 1, 20, 20)]
    [InlineData("SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13", 15, 3, 60, 60)]
    [InlineData("SSH-2.0-OpenSSH_10.0", 15, 3, 60, 60)]
    [InlineData("SSH-2.0-OpenSSH_9.5p1", 15, 3, 60, 120)]
    [InlineData("SSH-2.0-OpenSSH_8.9p1", 15, 3, 60, 120)]
    public void Real_time_follows_the_version(string banner, int interval, int count, int least, int most)
    {
        var alive = ClientAliveTime.Of(banner, TimeSpan.FromSeconds(interval), count)!;

        Assert.Equal((least, most), ((int)alive.Least.TotalSeconds, (int)alive.Most.TotalSeconds));
    }

    [Theory]
    [InlineData("SSH-2.0-dropbear_2022.83", 15)]
    [InlineData("HTTP/1.1 400 Bad Request", 15)]
    [InlineData("", 15)]
    [InlineData("SSH-2.0-OpenSSH_9.2p1", 0)]
    public void Unknown_servers_and_switched_off_have_none(string banner, int interval)
    {
        Assert.Null(ClientAliveTime.Of(banner, TimeSpan.FromSeconds(interval), 3));
    }
}
