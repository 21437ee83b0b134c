using System.Collections.Immutable;
using System.Globalization;
using Bastion.Host;

namespace Bastion.People;

/// <summary>The accounts of people: they have a group, a forced command and keys in RAM, and nothing else.</summary>
internal sealed class PersonAccounts(Shell shell)
{
    private const string Passwd = "/etc/passwd";
    private const int PassesAgainstForks = 3;

    /// <summary>All of this host: people's, and the others.</summary>
    /// <exception cref="HostException">There is no such group: bastion install has not run.</exception>
    public static (ImmutableHashSet<string> People, ImmutableHashSet<string> Others) Read()
    {
        var gid = Fields("/etc/group").FirstOrDefault(f => f[0] == Accounts.PersonGroup)?[2]
            ?? throw new HostException($"this host has no group {Accounts.PersonGroup}: bastion install");
        var all = Fields(Passwd).Where(f => f.Length > 3).ToLookup(f => f[3] == gid, f => f[0]);
        return ([.. all[true]], [.. all[false]]);
    }

    /// <summary>With a shell because the forced command is run by it; without a home, a password or a file.</summary>
    public Task MakeAsync(string name, CancellationToken ct) =>
        shell.DoAsync("useradd", ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/sh", "--gid", Accounts.PersonGroup, name], ct);

    /// <exception cref="HostException">It is still there.</exception>
    public async Task RemoveAsync(string name, CancellationToken ct)
    {
        var uid = UidOf(name);
        EndSessions(uid);
        await shell.DoAsync("userdel", ["--force", name], ct);
        EndSessions(uid);
    }

    /// <summary>All processes of the person, each connection's own sshd among them.</summary>
    public static void EndSessions(string name) => EndSessions(UidOf(name));

    private static int? UidOf(string name) =>
        Fields(Passwd).FirstOrDefault(f => f[0] == name) is { } fields && int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var uid) && uid > 0 ? uid : null;

    /// <summary>Killed, not asked: a frozen one would keep what it has open. Again, for what was just being started.</summary>
    private static void EndSessions(int? uid)
    {
        for (var pass = 0; uid is { } id && pass < PassesAgainstForks; pass++)
        {
            foreach (var pid in Processes.Of(id))
            {
                Processes.Kill(pid);
            }
        }
    }

    private static IEnumerable<string[]> Fields(string file) => File.ReadLines(file).Select(l => l.Split(':')).Where(f => f.Length > 2);
}
