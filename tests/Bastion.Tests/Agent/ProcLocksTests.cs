using Bastion.Agent;
using Testing;

namespace Bastion.Tests.Agent;

public sealed class ProcLocksTests
{
    private const string Locks = """
        1: FLOCK  ADVISORY  READ 10074 fe:00:11764130 0 EOF
        2: POSIX  ADVISORY  WRITE 1234 fe:01:131090 0 EOF
        2: -> POSIX  ADVISORY  WRITE 1235 fe:01:131091 0 EOF
        3: POSIX  ADVISORY  READ 99 08:01:5 128 128
        garbage
        """;

    [Theory]
    [InlineData(0xfe, 0x01, 131090, true)]
    [InlineData(0xfe, 0x01, 131091, false)]
    [InlineData(0xfe, 0x00, 131090, false)]
    [InlineData(0xfe, 0x00, 11764130, false)]
    [InlineData(0x08, 0x01, 5, false)]
    public void Only_the_holder_of_a_write_lock_counts(uint major, uint minor, ulong inode, bool locked) =>
        Assert.Equal(locked, ProcLocks.IsWriteLocked(Locks, major, minor, inode));

    [Fact]
    public void Real_lock_makes_apt_busy_until_it_is_released()
    {
        var file = Path.GetTempFileName();
        try
        {
            var watch = new AptWatch(new FakeTime(), file);
            using var holder = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            Assert.True(watch.Idle);

            holder.Lock(0, 0);   // fcntl, as apt does
            Assert.False(watch.Idle);
            holder.Unlock(0, 0);

            Assert.True(watch.Idle);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Machine_without_apt_is_idle() => Assert.True(new AptWatch(new FakeTime(), "/nowhere/lock").Idle);

    [Fact]
    public void Lock_that_cannot_be_looked_at_is_busy_for_a_quarter_of_an_hour()
    {
        var time = new FakeTime();
        var file = Path.GetTempFileName();
        var watch = new AptWatch(time, file, "/nowhere/locks");
        Assert.False(watch.Idle);

        time.Advance(TimeSpan.FromMinutes(15));

        Assert.True(watch.Idle);
        File.Delete(file);
    }
}
