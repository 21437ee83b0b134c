using Common.Logins.Spool;
using Testing;

namespace Common.Tests.Logins.Spool;

public sealed class HookSpoolTests : IDisposable
{
    private const UnixFileMode OwnerWrites = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private readonly string _folder = Directory.CreateTempSubdirectory("spool").FullName;
    private readonly FakeTime _time = new();
    private readonly HookSpool _spool;

    public HookSpoolTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "new"));
        Directory.CreateDirectory(Path.Combine(_folder, "tmp"));
        _spool = new HookSpool(_folder, _ => true, _time);
    }

    public void Dispose()
    {
        _spool.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Event_stays_until_it_has_been_kept()
    {
        Put(7);

        Assert.Single(_spool.Read().Events);
        var again = _spool.Read();
        _spool.Passed(again);

        Assert.Single(again.Events);
        Assert.True(_spool.Read().IsEmpty);
        Assert.Empty(New());
        Assert.True(_spool.IsCaughtUp);
        Assert.Null(_spool.Trouble);
    }

    [Fact]
    public void Thousands_come_in_order_and_none_is_left_out()
    {
        for (var n = 0; n < 1700; n++)
        {
            Put(n + 1, ticks: 1_000_000 - n);
        }

        var pids = new List<int>();
        for (var more = true; more;)
        {
            var batch = _spool.Read();
            pids.AddRange(batch.Events.Select(e => int.Parse(e.Name.Split('.')[1], null)));
            more = batch.More;
            Assert.NotEqual(more, _spool.IsCaughtUp);
            _spool.Passed(batch);
        }

        Assert.Equal(Enumerable.Range(1, 1700).Reverse(), pids);
    }

    [Fact]
    public void What_is_no_event_is_buried_and_told_once()
    {
        File.WriteAllText(In("new", "notes.txt"), "hello");
        File.WriteAllBytes(In("new", HookFile.Name(1)), []);
        File.WriteAllBytes(In("new", HookFile.Name(2)), HookFile.Of(2)[..80]);
        File.CreateSymbolicLink(In("new", HookFile.Name(3)), "/etc/shadow");
        File.CreateSymbolicLink(In("new", "loop"), In("new", "loop"));
        Directory.CreateDirectory(In("new", "folder"));
        File.WriteAllText(In("new", "folder/file"), "x");
        Put(9);

        var batch = _spool.Read();
        _spool.Passed(batch);

        Assert.Single(batch.Events);
        Assert.StartsWith("6 events may be missing", batch.Gap, StringComparison.Ordinal);
        Assert.True(_spool.Read().IsEmpty);
        Assert.Empty(New());
        Assert.True(File.Exists(In("dead", "notes.txt")));
        Assert.True(File.Exists("/etc/shadow") || !OperatingSystem.IsLinux());
    }

    [Fact]
    public void File_that_others_may_write_or_own_is_not_believed()
    {
        Put(1);
        File.SetUnixFileMode(In("new", HookFile.Name(1)), OwnerWrites | UnixFileMode.GroupWrite);
        var open = _spool.Read();
        using var roots = new HookSpool(_folder, _ => false, _time);
        Put(2);

        Assert.Equal("open to be written by others", Assert.Single(open.Rejected).Why);
        Assert.Empty(open.Events);
        Assert.Contains(roots.Read().Rejected, r => r.Why == "of a wrong owner");
    }

    [Fact]
    public void Second_name_of_a_file_is_not_believed()
    {
        Put(1);
        File.WriteAllBytes(In("elsewhere"), HookFile.Of(2));
        Assert.Equal(0, Link(In("elsewhere"), In("new", HookFile.Name(2))));

        Assert.Equal("not a plain file", Assert.Single(_spool.Read().Rejected).Why);
    }

    [Fact]
    public void What_a_power_cut_left_half_written_is_told_after_a_minute_and_once()
    {
        File.WriteAllText(In("tmp", HookFile.Name(5)), "half");
        Assert.True(_spool.Read().IsEmpty);

        _time.Advance(TimeSpan.FromSeconds(61));
        var batch = _spool.Read();
        _spool.Passed(batch);

        Assert.Equal("1 event may be missing: the hook's spool has a file that is half written", batch.Gap);
        Assert.True(_spool.Read().IsEmpty);
    }

    /// <summary>The wall clock was decades off when they were written: order and age go by the kernel's own.</summary>
    [Fact]
    public void Times_of_files_mean_nothing()
    {
        Put(2);
        Put(1);
        File.WriteAllText(In("tmp", HookFile.Name(5)), "half");
        foreach (var (file, year) in new[] { (In("new", HookFile.Name(1)), 2100), (In("new", HookFile.Name(2)), 1970), (In("tmp", HookFile.Name(5)), 2100) })
        {
            File.SetLastWriteTimeUtc(file, new DateTime(year, 1, 2, 0, 0, 0, DateTimeKind.Utc));
        }

        var batch = _spool.Read();
        _spool.Passed(batch);
        _time.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal((2, null), (batch.Events.Length, batch.Gap));
        Assert.StartsWith("1 event may be missing", _spool.Read().Gap, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_is_being_written_is_left_alone()
    {
        for (var minute = 0; minute < 3; minute++)
        {
            var name = In("tmp", HookFile.Name(5, minute));
            File.WriteAllText(name, "half");
            Assert.True(_spool.Read().IsEmpty);
            File.Delete(name);
            Assert.True(_spool.Read().IsEmpty);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public void Reserve_is_kept_and_made_again_when_it_was_given_up()
    {
        _spool.Read();
        Assert.Equal(HookSpool.ReserveLength, new FileInfo(In("new", HookSpool.Reserve)).Length);

        File.Delete(In("new", HookSpool.Reserve));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.True(_spool.Read().IsEmpty);

        Assert.True(File.Exists(In("new", HookSpool.Reserve)));
    }

    [Fact]
    public void Folder_that_is_not_there_is_trouble_until_it_is()
    {
        Directory.Delete(In("new"), recursive: true);
        Assert.True(_spool.Read().IsEmpty);
        Assert.Contains("is not there", _spool.Trouble, StringComparison.Ordinal);
        Assert.False(_spool.IsCaughtUp);

        Directory.CreateDirectory(In("new"));
        Put(1);

        Assert.Single(_spool.Read().Events);
        Assert.Null(_spool.Trouble);
    }

    private string In(params string[] names) => Path.Combine([_folder, .. names]);

    private string[] New() => [.. Directory.GetFileSystemEntries(In("new")).Where(f => Path.GetFileName(f) != HookSpool.Reserve)];

    private void Put(int pid, int ticks = 100)
    {
        File.WriteAllBytes(In("new", HookFile.Name(pid, ticks)), HookFile.Of(pid, ticks: ticks));
        File.SetUnixFileMode(In("new", HookFile.Name(pid, ticks)), OwnerWrites);
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "link", CharSet = System.Runtime.InteropServices.CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Link(string from, string to);
}
