using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Common;

namespace Bastion.Host;

/// <summary>
/// The way back, as a POSIX shell script written before anything is changed: it needs neither us nor .NET, so a killed installation, a
/// lost session and a full disk are all survived. Whoever decides first, commit or undo, has decided; half an undo is done again.
/// </summary>
[PureCore]
internal static class UndoScript
{
    public const string File = "undo.sh";
    public const string Decided = "decided";
    public const string Committed = "commit";
    public const string Done = "undone";

    /// <param name="folder">The transaction's: backups are in <c>files/N</c>, N being the change's place in the plan.</param>
    /// <param name="root">Empty, or the folder that is installed into.</param>
    /// <param name="reload">The last words: sshd reads its configuration again.</param>
    public static string Write(ImmutableArray<Change> plan, string folder, string root, string reload)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"""
            #!/bin/sh
            # Takes back what an installation changed that was not confirmed.
            PATH=/usr/sbin:/usr/bin:/sbin:/bin
            cd {Quote(folder)} || exit 1
            (set -C; echo undo > {Decided}) 2>/dev/null || [ "$(cat {Decided})" != {Committed} ] || exit 0
            back() (cp -p "files/$1" "$2.bastion-undo" && mv -f "$2.bastion-undo" "$2")

            """);
        var mends = plan.Select((change, place) => (change, place)).ToList();
        // Files first, then what reads them, then accounts that files name: in the order of the plan for runs, backwards for the rest.
        foreach (var (change, place) in mends.AsEnumerable().Reverse().Where(c => c.change is Change.PutFile))
        {
            var put = (Change.PutFile)change;
            var parent = put.Path[..put.Path.LastIndexOf('/')];
            var emptied = parent.StartsWith("/etc/systemd/", StringComparison.Ordinal) ? $"rmdir {Quote(root + parent)} 2>/dev/null\n" : "";
            text.Append(put.Before is null ? $"rm -f {Quote(root + put.Path)}\n{emptied}" : $"back {place.ToString(CultureInfo.InvariantCulture)} {Quote(root + put.Path)}\n");
        }

        foreach (var run in plan.OfType<Change.Run>().Reverse().Where(r => !r.Undo.IsEmpty))
        {
            text.AppendJoin(' ', run.Undo.Select(Quote)).Append('\n');
        }

        text.Append(reload).Append('\n');
        foreach (var change in plan.Reverse())
        {
            text.Append(change switch
            {
                Change.MakeDirectory { Existed: false } d => $"rmdir {Quote(root + d.Path)} 2>/dev/null\n",
                Change.MakeUser u => $"userdel{Prefix(root)} {Quote(u.Name)} 2>/dev/null\n",
                Change.MakeGroup g => $"groupdel{Prefix(root)} {Quote(g.Name)} 2>/dev/null\n",
                _ => "",
            });
        }

        return text.Append(": > ").Append(Done).Append('\n').ToString();
    }

    public static string Quote(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Prefix(string root) => root.Length == 0 ? "" : $" --prefix {Quote(root)}";
}
