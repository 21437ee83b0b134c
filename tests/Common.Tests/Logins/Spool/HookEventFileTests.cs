using System.Net;
using System.Text;
using Common.Logins;
using Common.Logins.Spool;

namespace Common.Tests.Logins.Spool;

public sealed class HookEventFileTests
{
    [Fact]
    public void Ssh_login_is_read_with_its_key_and_its_numeric_peer()
    {
        var hook = Read(HookFile.Ssh);

        var login = hook.Login;
        Assert.Equal((HookFile.Boot, 4000), (hook.Boot, hook.Process));
        Assert.Equal((LoginKind.Ssh, "sshd", "alice", "publickey"), (login.Kind, login.Service, login.User, login.Method));
        Assert.Equal(new IPEndPoint(IPAddress.Parse("198.51.100.7"), 40000), login.From);
        Assert.Equal(new PublicKey("ED25519", HookFile.Fingerprint), login.Key);
        Assert.Equal((false, null, LoginSources.Hook), (login.Ambiguous, login.Tty, login.Sources));
    }

    [Fact]
    public void Every_kind_of_key_and_certificate_is_described_as_sshd_does()
    {
        foreach (var line in File.ReadLines(Path.Combine("Logins", "Samples", "keys.txt")).Where(l => l[0] != '#'))
        {
            var words = line.Split(' ', 3);
            var variables = With("SSH_AUTH_INFO_0", $"publickey {words[0]} {words[1]}\n");

            Assert.Equal(PublicKeyText.Parse(words[2]), Read(variables).Login.Key);
        }
    }

    [Fact]
    public void Two_methods_are_two_and_the_key_is_kept()
    {
        var login = Read(With("SSH_AUTH_INFO_0", $"publickey {HookFile.Key}\nkeyboard-interactive\n")).Login;

        Assert.Equal(("publickey,keyboard-interactive", HookFile.Fingerprint), (login.Method, login.Key!.Fingerprint));
    }

    [Theory]
    [InlineData("su-l", LoginKind.Su)]
    [InlineData("sudo", LoginKind.Sudo)]
    public void Becoming_somebody_else_names_who_asked(string service, LoginKind kind)
    {
        var login = Read($"PAM_SERVICE={service}", "PAM_USER=root", "PAM_RUSER=alice", "PAM_TTY=pts/3", "PAM_TYPE=open_session").Login;

        Assert.Equal((kind, "root", "alice", "pts/3", ""), (login.Kind, login.User, login.By, login.Tty, login.Method));
        Assert.Null(login.From);
    }

    [Fact]
    public void Console_has_its_line()
    {
        var login = Read("PAM_SERVICE=login", "PAM_USER=root", "PAM_TTY=/dev/ttyS0", "PAM_TYPE=open_session").Login;

        Assert.Equal((LoginKind.Console, "/dev/ttyS0", null), (login.Kind, login.Tty, login.By));
    }

    [Fact]
    public void Close_is_none() => Assert.Equal("not the open of a session", HookEventFile.Read(HookFile.Name(7), HookFile.Of(7, With("PAM_TYPE", "close_session"))).Problem);

    [Fact]
    public void Evicted_processes_are_counted()
    {
        var hook = HookEventFile.Read(HookFile.Name(7), HookFile.Of(7, evicted: "12,345")).Event!;

        Assert.Equal("12 345", string.Join(' ', hook.Evicted));
        Assert.Equal(2, hook.Login.Evicted);
    }

    [Fact]
    public void Value_that_is_there_twice_is_remarkable_and_the_last_is_PAMs()
    {
        var login = Read(["PAM_USER=nobody", "SSH_CONNECTION=127.0.0.1 1 127.0.0.1 22", .. HookFile.Ssh]).Login;

        Assert.Equal(("alice", true), (login.User, login.Ambiguous));
        Assert.Equal("198.51.100.7", login.From!.Address.ToString());
    }

    [Fact]
    public void Newlines_and_bytes_that_are_no_text_stay_inside_their_value()
    {
        var environment = Encoding.Latin1.GetBytes(string.Concat(With("PAM_USER", "a\u00ff\nPAM_USER=root\r\n").Select(v => v + "\0")));

        var login = HookEventFile.Read(HookFile.Name(7), HookFile.Of(7, environment)).Event!.Login;

        Assert.Equal(("a\\xff\nPAM_USER=root\r\n", false), (login.User, login.Ambiguous));
    }

    [Theory]
    [InlineData("UNKNOWN 65535 UNKNOWN 65535")]
    [InlineData("liar.example 40000 192.0.2.1 22")]
    [InlineData("1 2 3 4")]
    [InlineData("198.51.100.7")]
    [InlineData("")]
    public void Peer_that_is_not_numeric_is_not_known(string connection) => Assert.Null(Read(With("SSH_CONNECTION", connection)).Login.From);

    [Fact]
    public void Environment_that_was_cut_is_a_remarkable_login_whatever_it_claims()
    {
        var flood = Encoding.ASCII.GetBytes("PAM_TYPE=close_session\0LC_X=" + new string('x', HookEventFile.LongestEnvironment));

        var hook = HookEventFile.Read(HookFile.Name(7), HookFile.Of(7, flood[..HookEventFile.LongestEnvironment])).Event!;

        Assert.Equal((true, "?", LoginKind.Ssh), (hook.Login.Ambiguous, hook.Login.User, hook.Login.Kind));
    }

    [Fact]
    public void Half_a_file_is_none()
    {
        var whole = HookFile.Of(7);

        for (var length = 0; length < whole.Length; length++)
        {
            // Cut behind a whole variable it still lacks what PAM says last.
            var (hook, problem) = HookEventFile.Read(HookFile.Name(7), whole.AsSpan(0, length));
            Assert.Null(hook);
            Assert.NotNull(problem);
        }
    }

    [Theory]
    [InlineData("bastion-hook 2 boot=")]
    [InlineData("")]
    [InlineData("PAM_TYPE=open_session\0")]
    public void Other_files_are_none(string text) => Assert.Null(HookEventFile.Read(HookFile.Name(7), Encoding.ASCII.GetBytes(text + "\n")).Event);

    [Fact]
    public void File_under_another_events_name_is_none() => Assert.Equal("not the hook's", HookEventFile.Read(HookFile.Name(8), HookFile.Of(7)).Problem);

    [Fact]
    public void Spoiled_files_never_throw()
    {
        var random = new Random(11);
        var samples = File.ReadLines(Path.Combine("Logins", "Samples", "keys.txt")).Where(l => l[0] != '#').Select(l => l.Split(' ')).ToList();
        for (var n = 0; n < 5_000; n++)
        {
            var key = samples[n % samples.Count];
            var bytes = HookFile.Of(7, With("SSH_AUTH_INFO_0", $"publickey {key[0]} {key[1]}\n"));
            for (var change = random.Next(4); change >= 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var (hook, problem) = HookEventFile.Read(HookFile.Name(7), bytes.AsSpan(0, random.Next(8) == 0 ? random.Next(bytes.Length) : bytes.Length));
            Assert.True(hook is null != problem is null);
        }
    }

    private static HookEvent Read(params string[] variables) => HookEventFile.Read(HookFile.Name(7), HookFile.Of(7, variables)).Event!;

    private static string[] With(string name, string value) => [.. HookFile.Ssh.Select(v => v.StartsWith(name + "=", StringComparison.Ordinal) ? $"{name}={value}" : v)];
}
