using System.Text;
using Bastion.Agent;
using Bastion.People;
using Common.Journal;

namespace Bastion.Tests.People;

public sealed class ReachedTests : IDisposable
{
    /// <summary>As nft 1.0.6 prints it.</summary>
    private const string Notes =
        """
        {"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"set": {"family": "inet", "name": "reached", "table": "bastion",
        "type": ["uid", "inet_service"], "handle": 2, "size": 4096, "flags": ["timeout"], "timeout": 600, "elem": [{"elem": {"val": {"concat": [1001, 22001]}, "expires": 597}},
        {"elem": {"val": {"concat": [1002, 22101]}, "expires": 0}}, {"elem": {"val": {"concat": ["alice", 22001]}, "expires": 1}}, {"elem": {"val": 7}}, 7]}}]}
        """;

    private static readonly DateTimeOffset At = new(2026, 11, 21, 2, 40, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("reached-").FullName;
    private readonly Database _database;

    public ReachedTests() => _database = Database.Open(Path.Combine(_folder, "state.db"), AgentState.Migrations);

    public void Dispose()
    {
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Notes_are_read_with_how_long_ago_they_were_made() => Assert.Equal(
        [new(1001, 22001, TimeSpan.FromSeconds(3)), new(1002, 22101, TimeSpan.FromMinutes(10))], ReachedSet.Parse(Encoding.UTF8.GetBytes(Notes)).ToArray());

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"nftables\": [null, {\"set\": 3}, {\"set\": {\"elem\": {}}}]}")]
    public void What_nft_does_not_say_is_not_made_up(string json) => Assert.Empty(ReachedSet.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Cut_notes_end_nobody()
    {
        var bytes = Encoding.UTF8.GetBytes(Notes);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.True(ReachedSet.Parse(bytes.AsMemory(0, length)).Length <= 2);
        }
    }

    /// <summary>The same note is read a hundred times in its ten minutes, and a second off.</summary>
    [Fact]
    public void Visit_is_kept_once_and_the_next_one_again()
    {
        Assert.True(Add("boot", 1001, 22001, At));
        Assert.False(Add("boot", 1001, 22001, At.AddSeconds(1)));
        Assert.False(Add("boot", 1001, 22001, At.AddSeconds(-1)));
        Assert.True(Add("boot", 1001, 22002, At));
        Assert.True(Add("boot", 1002, 22001, At));
        Assert.True(Add("next", 1001, 22001, At));
        Assert.True(Add("boot", 1001, 22001, At.AddMinutes(10).AddSeconds(-1)));

        var recent = _database.Read(c => ReachedStore.Recent(c, 2));
        Assert.Equal(new Reached(At.AddMinutes(10).AddSeconds(-1), "alice", "home", "ssh", 22001), recent[0]);
        Assert.Equal(2, recent.Length);
    }

    private bool Add(string boot, int uid, int port, DateTimeOffset at) => _database.Write(t => ReachedStore.Add(t, boot, uid, new Reached(at, "alice", "home", "ssh", port)));
}
