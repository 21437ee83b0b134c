using InternalHost.Pins;
using InternalHost.Tests.Configuration;

namespace InternalHost.Tests.Pins;

public sealed class PinFileTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 11, 22, 2, 33, 6, TimeSpan.Zero);
    private static readonly string A = ConsoleTextTests.Key(1);
    private static readonly string B = ConsoleTextTests.Key(2);

    private readonly SiteFolder _folder = new();

    private string PathOfPins => _folder.At("keys/pins.pub");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pins_come_back_as_they_were_written()
    {
        Pin[] pins =
        [
            new(A, PinSource.Console, "root", At), new(B, PinSource.Rotation, "alice", At, Next: true),
            new(ConsoleTextTests.Key(3), PinSource.OneTime), new(ConsoleTextTests.Key(4), PinSource.Hand, null, At),
        ];

        PinFile.Write(PathOfPins, [.. pins]);

        Assert.Equal(pins, PinFile.Read(PathOfPins).ToArray());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(PathOfPins));
        Assert.Equal(["pins.pub"], Directory.GetFiles(_folder.At("keys"), "pins*").Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" root@vm")]
    [InlineData(" pinned:nonsense,at=yesterday")]
    [InlineData(" next console")]
    public void Line_of_a_pub_file_is_a_pin_by_hand(string comment)
    {
        File.WriteAllText(PathOfPins, $"# the bastion\n\n  {A}{comment}\r\n");

        Assert.Equal([new Pin(A, PinSource.Hand)], PinFile.Read(PathOfPins).ToArray());
    }

    [Fact]
    public void Of_one_key_the_newest_word_counts()
    {
        File.WriteAllText(PathOfPins, $"{A} by hand\n{B}\n");

        PinFile.Add(PathOfPins, new Pin(A, PinSource.Console, "root", At));

        Assert.Equal([new Pin(B, PinSource.Hand), new Pin(A, PinSource.Console, "root", At)], PinFile.Read(PathOfPins).ToArray());
    }

    [Fact]
    public void Folder_and_file_are_made_and_no_file_is_no_pin()
    {
        Assert.Empty(PinFile.Read(_folder.At("new/pins.pub")));

        PinFile.Add(_folder.At("new/pins.pub"), new Pin(A, PinSource.OneTime, "root", At));

        Assert.Equal(PinSource.OneTime, Assert.Single(PinFile.Read(_folder.At("new/pins.pub"))).Source);
    }

    [Fact]
    public void Configuration_takes_the_keys_of_the_file()
    {
        PinFile.Write(PathOfPins, [new Pin(A, PinSource.Console, "a b\n,next", At), new Pin(B, PinSource.Rotation, "root", At, Next: true)]);

        var options = _folder.Load(_folder.Good.Replace($"host_keys: {SiteFolder.HostKey}", $"host_keys: {PathOfPins}", StringComparison.Ordinal)).OptionsOrThrow();

        Assert.Equal([A, B], options.Bastion.HostKeys.ToArray());
        Assert.Equal([false, true], PinFile.Read(PathOfPins).Select(p => p.Next));
    }
}
