using System.Net;
using Bastion.Host;

namespace Bastion.Tests.Host;

public sealed class SshdDropInTests
{
    private static readonly HostSettings Settings = HostSettings.Default with
    {
        Sites = [new SiteAccess("home", 22001)],
        Exempt = [IPNetwork.Parse("203.0.113.7/32")],
    };

    [Theory]
    [InlineData("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026", 9, 2, true)]
    [InlineData("unknown option -- V\nOpenSSH_8.9p1 Ubuntu-3ubuntu0.13, OpenSSL 3.0.2 15 Mar 2022\nusage: sshd", 8, 9, true)]
    [InlineData("OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.0 8 Apr 2025", 10, 0, true)]
    [InlineData("OpenSSH_9.6p1 Ubuntu-3ubuntu13.5, OpenSSL 3.0.13", 9, 6, true)]
    [InlineData("OpenSSH_10.5p1, OpenSSL 3.5.4", 10, 5, false)]
    [InlineData("OpenSSH_9.9, LibreSSL 4.0.0", 9, 9, false)]
    public void Version_is_read_from_what_the_program_prints(string text, int major, int minor, bool debian) =>
        Assert.Equal(new OpenSshVersion(major, minor, debian), OpenSshVersion.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("Dropbear v2022.83")]
    [InlineData("OpenSSH_9999999999.1p1")]
    public void Version_that_is_not_there_is_not_made_up(string text) => Assert.Null(OpenSshVersion.Parse(text));

    [Theory]
    [InlineData("ubuntu-22.04", 8, 9)]
    [InlineData("debian-12", 9, 2)]
    [InlineData("ubuntu-24.04", 9, 6)]
    [InlineData("debian-13", 10, 0)]
    public void Text_is_as_it_was_looked_over(string name, int major, int minor)
    {
        var golden = Path.Combine(AppContext.BaseDirectory, "Host", "Golden", $"00-bastion.{name}.conf");

        var text = SshdDropIn.Write(Settings, new OpenSshVersion(major, minor, Debian: true));

        Assert.Equal(File.ReadAllText(golden), text);
    }

    [Theory]
    [InlineData(8, 9, false, false, false, false)]
    [InlineData(9, 1, true, false, false, false)]
    [InlineData(9, 2, true, true, false, false)]
    [InlineData(9, 8, true, true, true, false)]
    [InlineData(9, 9, true, true, true, true)]
    public void Keyword_is_written_only_for_an_sshd_that_knows_it(int major, int minor, bool rsaSize, bool unused, bool penalties, bool mlkem)
    {
        var text = SshdDropIn.Write(Settings, new OpenSshVersion(major, minor, Debian: false));

        Assert.Equal(rsaSize, text.Contains("\nRequiredRSASize "));
        Assert.Equal(unused, text.Contains("\nUnusedConnectionTimeout none\n"));
        Assert.Equal(penalties, text.Contains("\nPerSourcePenalties ") && text.Contains("\nPerSourcePenaltyExemptList 203.0.113.7/32\n"));
        Assert.Equal(mlkem, text.Contains("mlkem768x25519-sha256"));
        Assert.DoesNotContain("DebianBanner", text);
    }

    [Fact]
    public void Nobody_is_exempt_where_nobody_was_named()
    {
        var text = SshdDropIn.Write(Settings with { Exempt = [] }, new OpenSshVersion(10, 0, Debian: true));

        Assert.DoesNotContain("PerSourcePenaltyExemptList", text);
    }
}
