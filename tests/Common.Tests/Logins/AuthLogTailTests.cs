using System.Collections.Immutable;
using System.Text;
using Common.Logins;
using Common.Journal;
using Testing;

namespace Common.Tests.Logins;

public sealed class AuthLogTailTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tail").FullName;
    private readonly FakeTime _time = new();
    private readonly List<int> _seen = [];
    private readonly List<string> _sources = [];
    private readonly List<string> _gaps = [];
    private Database _database = null!;
    private AuthLogTail _tail = null!;

    public Task InitializeAsync()
    {
        _database = Database.Open(":memory:", LogPosition.Schema);
        Restart();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _tail.DisposeAsync();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Lines_come_once_and_in_order()
    {
        Write(1, 2);
        Pass();
        Write(3);
        Pass();
        Pass();

        Assert.Equal([1, 2, 3], _seen);
    }

    [Fact]
    public void Missing_file_is_trouble_and_its_coming_is_seen()
    {
        Pass();
        Assert.Contains("not there", _tail.Trouble, StringComparison.Ordinal);

        Write(1);
        Pass();

        Assert.Null(_tail.Trouble);
        Assert.Equal([1], _seen);
    }

    [Fact]
    public void Half_a_line_waits_for_its_other_half()
    {
        var line = Line(7);
        Append(Encoding.UTF8.GetBytes(line[..20]));
        Pass();
        Assert.Empty(_seen);

        Append(Encoding.UTF8.GetBytes(line[20..] + "\r\n"));
        Pass();

        Assert.Equal([7], _seen);
    }

    [Fact]
    public void Renamed_file_is_read_to_its_end_while_the_new_one_grows()
    {
        Write(1);
        Pass();
        using var writer = new FileStream(Log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        File.Move(Log, Log + ".1");
        Write(2);
        Pass();
        writer.Write(Encoding.UTF8.GetBytes(Line(3) + "\n"));   // the writer has not been told yet
        writer.Flush();
        Pass();
        Write(4);
        Pass();

        Assert.Equal([1, 2, 3, 4], _seen);
        Assert.Equal(4, _sources.Distinct().Count());
    }

    [Fact]
    public void Rotation_while_we_were_dead_loses_nothing()
    {
        Write(1);
        Pass();
        Write(2);
        File.Move(Log, Log + ".1");
        Write(3);
        Restart();

        Pass();

        Assert.Equal([1, 2, 3], _seen);
        Assert.Empty(_gaps);
    }

    [Fact]
    public void Two_rotations_while_we_were_dead_lose_nothing()
    {
        Write(1);
        Pass();
        Write(2);
        File.Move(Log, Log + ".1");
        Write(3);
        File.Move(Log + ".1", Log + ".2");
        File.Move(Log, Log + ".1");
        Write(4);
        Restart();

        Pass();

        // What was never followed (3) lies in a file that nobody had heard of; it is the one gap a tail cannot close.
        Assert.Contains(2, _seen);
        Assert.Contains(4, _seen);
    }

    [Fact]
    public void Copied_and_truncated_file_loses_nothing()
    {
        Write(1);
        Pass();
        Write(2);
        File.Copy(Log, Log + ".1");
        File.WriteAllText(Log, "");
        Write(3);
        Pass();

        Assert.Equal([1, 2, 3], _seen);
    }

    [Fact]
    public void Copied_and_truncated_while_we_were_dead_loses_nothing()
    {
        Write(1, 2);
        Pass();
        Write(3);
        File.Copy(Log, Log + ".1");
        File.WriteAllText(Log, "");
        Write(4, 5, 6, 7, 8, 9);   // longer than what was read before: only the bytes tell
        Restart();

        Pass();

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], _seen);
    }

    [Fact]
    public void Truncated_file_is_read_from_its_start()
    {
        Write(1, 2);
        Pass();
        File.WriteAllText(Log, "");
        Pass();
        Write(3);
        Pass();

        Assert.Equal([1, 2, 3], _seen);
        Assert.Equal(3, _sources.Distinct().Count());
    }

    [Fact]
    public void File_that_vanished_unread_is_told_as_a_gap()
    {
        Write(1);
        Pass();
        Write(2);
        File.Delete(Log);
        Write(3);
        Restart();

        Pass();

        Assert.Contains(3, _seen);
        Assert.Single(_gaps);
    }

    [Fact]
    public void Name_given_back_to_the_old_file_doubles_nothing()
    {
        Write(1);
        Pass();
        File.Move(Log, Log + ".1");
        Write(2);
        Pass();
        File.Move(Log, Log + ".2");
        File.Move(Log + ".1", Log);
        Write(3);
        Pass();

        Assert.Equal([1, 2, 3], _seen);
    }

    [Fact]
    public void Batch_that_was_not_kept_is_read_again()
    {
        Write(1);
        _tail.Read();   // and killed before the commit

        Restart();
        Pass();

        Assert.Equal([1], _seen);
    }

    [Fact]
    public void Endless_line_is_thrown_away_and_the_next_is_read()
    {
        Append(Encoding.UTF8.GetBytes(new string('A', 200_000)));
        Pass();
        Append(Encoding.UTF8.GetBytes(Line(5) + "\n"));   // still the same line
        Write(1);
        Pass();

        Assert.Equal([1], _seen);
    }

    [Fact]
    public void Bytes_that_are_no_text_disturb_nobody()
    {
        Append([0xff, 0xfe, 0, (byte)'\n', 0xc3, (byte)'\n']);
        Write(1);
        Pass();

        Assert.Equal([1], _seen);
    }

    [Fact]
    public void What_was_there_before_us_is_backlog_also_after_a_restart()
    {
        Write(1);
        var batch = _tail.Read();
        Assert.True(batch.Entries[0].Backlog);
        Keep(batch);
        Write(2);
        Restart();

        Assert.False(_tail.Read().Entries[0].Backlog);
    }

    [Fact]
    public void Random_life_with_kills_and_rotations_reads_each_line_once()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            File.Delete(Log);
            _seen.Clear();
            _database.Write(t => LogPosition.Save(t, []));
            Restart();
            var next = 0;
            for (var step = 0; step < 120; step++)
            {
                switch (random.Next(8))
                {
                    case 0 when File.Exists(Log):
                        Pass();
                        File.Move(Log, $"{Log}.{seed}-{step}");
                        Write();
                        Pass();   // a rotation between two looks; two between two are seen as a gap
                        break;
                    case 1 when File.Exists(Log) && new FileInfo(Log).Length > 0:
                        // A copy is known by the bytes before the place that was reached: an empty file has none.
                        Pass();
                        Write(++next);
                        File.Copy(Log, $"{Log}.{seed}-{step}");
                        File.WriteAllText(Log, "");
                        break;
                    case 2:
                        _tail.Read();
                        Restart();
                        break;
                    case 3:
                        Pass();
                        break;
                    default:
                        Write(++next);
                        break;
                }
            }

            Pass();
            Assert.Equal(Enumerable.Range(1, next), _seen.Order());
        }
    }

    private string Log => Path.Combine(_folder, "auth.log");

    private void Restart()
    {
        _tail?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _tail = new AuthLogTail(Log, LogPosition.Load(_database), isPrivate: false, _time);
    }

    private void Pass()
    {
        LogBatch batch;
        do
        {
            batch = _tail.Read();
            Keep(batch);
        }
        while (batch.More);
    }

    private void Keep(LogBatch batch)
    {
        _database.Write(t => _tail.Save(t, batch));
        _tail.Passed(batch);
        _seen.AddRange(batch.Entries.Select(e => ((SshdMessage.Accepted)e.Line.Message).From!.Port));
        _sources.AddRange(batch.Entries.Select(e => e.Source));
        _gaps.AddRange(batch.Gap is { } gap ? [gap] : []);
    }

    private void Write(params int[] ports) => Append(Encoding.UTF8.GetBytes(string.Concat(ports.Select(p => Line(p) + "\n"))));

    private void Append(byte[] bytes)
    {
        using var file = new FileStream(Log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.Write(bytes);
    }

    private static string Line(int port) => $"Jan  1 00:00:00 gate sshd[1]: Accepted password for alice from 192.0.2.7 port {port} ssh2";
}
