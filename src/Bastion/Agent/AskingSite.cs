using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Bastion.Configuration;
using Bastion.Sessions;
using Common;
using Common.Kernel;
using Common.Logins;

namespace Bastion.Agent;

/// <summary>From where the site that asks is seen: its question comes out of an sshd process of its account, and so does its tunnel.</summary>
internal sealed class AskingSite(KernelConnections kernel, string passwd = AskingSite.PasswdFile)
{
    public const string PasswdFile = "/etc/passwd";

    /// <param name="asker">The asker's end of its connection to us.</param>
    /// <param name="open">All connections that stand.</param>
    /// <returns>Null: not known, or this account comes from several addresses at once.</returns>
    public IPAddress? SeenFrom(IPEndPoint asker, ImmutableArray<OpenSession> open)
    {
        var socket = kernel.Read()?.FirstOrDefault(c => c.Inode != 0 && c.Local.Equals(asker));
        return socket is null ? null : SiteAddress.Of(socket.Owner, open, Accounts());
    }

    private string Accounts()
    {
        try
        {
            return File.ReadAllText(passwd);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";   // then nobody is known
        }
    }
}

[PureCore]
internal static class SiteAddress
{
    /// <param name="uid">Of the process that asks.</param>
    /// <param name="passwd">As in /etc/passwd: <c>site-home:x:994:990::/nonexistent:/usr/sbin/nologin</c>.</param>
    public static IPAddress? Of(uint uid, ImmutableArray<OpenSession> open, string passwd)
    {
        var accounts = passwd.Split('\n').Select(l => l.Split(':')).Where(f => f.Length > 3 && f[2] == uid.ToString(CultureInfo.InvariantCulture)).Select(f => f[0]).ToHashSet(StringComparer.Ordinal);
        var addresses = open.Where(s => s.Role == LoginRole.Site && accounts.Contains(s.User)).Select(s => s.Peer.Address).Distinct().ToList();
        return addresses is [var only] ? only : null;
    }
}
