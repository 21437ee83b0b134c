using System.Net;
using Common.Configuration;

namespace Common.Tests.Configuration;

public sealed class ScalarTests
{
    [Theory]
    [InlineData("8s", 8)]
    [InlineData("7.8s", 7.8)]
    [InlineData("10m", 600)]
    [InlineData("2h", 7200)]
    [InlineData("250ms", 0.25)]
    [InlineData("1h30m", 5400)]
    [InlineData("4 weeks", 2_419_200)]
    [InlineData(" 2 hours 5 min ", 7500)]
    [InlineData("0s", 0)]
    public void Duration_good(string text, double seconds)
    {
        Assert.Equal(TimeSpan.FromSeconds(seconds), Quantities.Duration(text).Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8")]
    [InlineData("s")]
    [InlineData("-8s")]
    [InlineData("8 S")]
    [InlineData("8 parsecs")]
    [InlineData("1e9s")]
    [InlineData(".5s")]
    [InlineData("1..5s")]
    [InlineData("8s!")]
    [InlineData("9999999 weeks")]
    [InlineData("99999999999999999999999s")]
    [InlineData("1s1s1s1s1s")]
    public void Duration_bad(string text)
    {
        Assert.NotNull(Quantities.Duration(text).Problem);
    }

    [Fact]
    public void Duration_outside_its_bounds_names_them()
    {
        var read = Quantities.DurationBetween(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));

        Assert.Equal("must be between 1s and 10m", read("11m").Problem);
        Assert.Null(read("10m").Problem);
    }

    [Theory]
    [InlineData(7.8, "7.8s")]
    [InlineData(60, "1m")]
    [InlineData(90, "1m30s")]
    [InlineData(5400, "1h30m")]
    [InlineData(7200, "2h")]
    [InlineData(172_800, "2d")]
    [InlineData(0, "0s")]
    public void Say_reads_as_it_is_written(double seconds, string text)
    {
        Assert.Equal(text, Quantities.Say(TimeSpan.FromSeconds(seconds)));
        Assert.Equal(TimeSpan.FromSeconds(seconds), Quantities.Duration(text).Value);
    }

    [Theory]
    [InlineData("2 Mbit/s", 2_000_000)]
    [InlineData("0.3 Mbit/s", 300_000)]
    [InlineData("500kbit/s", 500_000)]
    public void Rate_good(string text, long bits) => Assert.Equal(bits, Quantities.BitsPerSecond(text).Value);

    [Theory]
    [InlineData("2")]
    [InlineData("2 MB/s")]
    [InlineData("2 mbit/s")]
    [InlineData("0 Mbit/s")]
    [InlineData("999999999999 Gbit/s")]
    public void Rate_bad(string text) => Assert.NotNull(Quantities.BitsPerSecond(text).Problem);

    [Theory]
    [InlineData("10 GB", 10_000_000_000)]
    [InlineData("500MB", 500_000_000)]
    [InlineData("1 KiB", 1024)]
    public void Size_good(string text, long bytes) => Assert.Equal(bytes, Quantities.Bytes(text).Value);

    [Theory]
    [InlineData("10")]
    [InlineData("10 gigs")]
    [InlineData("-1 GB")]
    public void Size_bad(string text) => Assert.NotNull(Quantities.Bytes(text).Problem);

    [Theory]
    [InlineData("9.9.9.9", "9.9.9.9:53")]
    [InlineData("9.9.9.9:5353", "9.9.9.9:5353")]
    [InlineData("2620:fe::fe", "[2620:fe::fe]:53")]
    [InlineData("[2620:fe::fe]:54", "[2620:fe::fe]:54")]
    public void Endpoint_good(string text, string expected) => Assert.Equal(IPEndPoint.Parse(expected), NetworkValues.Endpoint(53)(text).Value);

    [Theory]
    [InlineData("")]
    [InlineData("9")]
    [InlineData("9.9.9")]
    [InlineData("9.9.9.09")]
    [InlineData("0x9.9.9.9")]
    [InlineData("9.9.9.9:")]
    [InlineData("9.9.9.9:0")]
    [InlineData("9.9.9.9:65536")]
    [InlineData("[9.9.9.9]:53")]
    [InlineData("2620:fe::fe]:53")]
    [InlineData("fe80::1%eth0")]
    [InlineData("one.one.one.one:853")]
    public void Endpoint_bad(string text) => Assert.NotNull(NetworkValues.Endpoint(53)(text).Problem);

    [Theory]
    [InlineData("127.0.0.1:22", "127.0.0.1", 22)]
    [InlineData("[fd00::1]:22", "fd00::1", 22)]
    [InlineData("nas.lan:445", "nas.lan", 445)]
    public void Target_good(string text, string host, int port) => Assert.Equal((host, port), NetworkValues.HostAndPort(text).Value);

    [Theory]
    [InlineData("22")]
    [InlineData("127.0.0.1")]
    [InlineData("fd00::1:22x")]
    [InlineData("a b:22")]
    [InlineData("-oProxyCommand=x:22")]
    [InlineData("nas..lan:22")]
    public void Target_bad(string text) => Assert.NotNull(NetworkValues.HostAndPort(text).Problem);

    [Theory]
    [InlineData("https://api.twilio.com", true)]
    [InlineData("http://127.0.0.1:8080/x", true)]
    [InlineData("http://api.twilio.com", false)]
    [InlineData("ftp://api.twilio.com", false)]
    [InlineData("https://user:word@api.twilio.com", false)]
    [InlineData("api.twilio.com", false)]
    public void WebAddress_is_https_but_for_loopback(string text, bool good) => Assert.Equal(good, NetworkValues.WebAddress(text).Problem is null);

    [Theory]
    [InlineData("+15551230001", "+15551230001")]
    [InlineData("+1 (555) 123-0001", "+15551230001")]
    public void Phone_good(string text, string number) => Assert.Equal(number, PersonalValues.Phone(text).Value);

    [Theory]
    [InlineData("15551230001")]
    [InlineData("+05551230001")]
    [InlineData("+1555")]
    [InlineData("+1555123000112345")]
    [InlineData("+1555123x001")]
    [InlineData("+١٥٥٥١٢٣٠٠٠١")]
    public void Phone_bad(string text) => Assert.NotNull(PersonalValues.Phone(text).Problem);

    [Theory]
    [InlineData("eth0", true)]
    [InlineData("enp3s0.100", true)]
    [InlineData("a-very-long-name", false)]
    [InlineData("eth0;reboot", false)]
    public void Interface_names(string text, bool good) => Assert.Equal(good, NetworkValues.Interface(text).Problem is null);
}
