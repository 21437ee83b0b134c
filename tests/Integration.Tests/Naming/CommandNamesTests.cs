using System.Net;
using Common.Processes;
using InternalHost.Cloud;
using InternalHost.Naming;

namespace Integration.Tests.Naming;

/// <summary>The owner's own program as the keeper of the record.</summary>
public sealed class CommandNamesTests : IDisposable
{
    private static readonly NameAddresses Both = new(IPAddress.Parse("203.0.113.7"), IPAddress.Parse("2001:db8::7"));

    private readonly string _folder = Directory.CreateTempSubdirectory("cn-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Program_is_given_the_name_and_its_addresses_and_no_shell_reads_them()
    {
        var said = Path.Combine(_folder, "said");

        await Names("for word in \"$@\"; do echo \"$word\"; done > " + said, "a b").PutAsync("home.example.net", Both, default);

        Assert.Equal(["a b", "home.example.net", "203.0.113.7", "2001:db8::7"], await File.ReadAllLinesAsync(said));
    }

    [Theory]
    [InlineData("echo no such zone >&2; exit 68", CloudFailure.NotFound, "the dns command ended with 68; it said: no such zone")]
    [InlineData("exit 77", CloudFailure.Denied, "the dns command ended with 77; it said: nothing")]
    [InlineData("exit 75", CloudFailure.Transient, "the dns command ended with 75")]
    public async Task Its_exit_status_says_what_went_wrong(string script, CloudFailure failure, string message)
    {
        var e = await Assert.ThrowsAsync<CloudException>(() => Names(script).PutAsync("home.example.net", Both, default));

        Assert.Equal(failure, e.Failure);
        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_that_is_not_there_is_named()
    {
        var names = new CommandNames(["/nonexistent/set-name"], new SystemProcessLauncher(TimeProvider.System), TimeProvider.System);

        var e = await Assert.ThrowsAsync<CloudException>(() => names.PutAsync("home.example.net", Both, default));

        Assert.Contains("/nonexistent/set-name", e.Message, StringComparison.Ordinal);
    }

    private CommandNames Names(string script, params string[] arguments)
    {
        var file = Path.Combine(_folder, "set-name");
        File.WriteAllText(file, script + "\n");
        return new CommandNames(["/bin/sh", file, .. arguments], new SystemProcessLauncher(TimeProvider.System), TimeProvider.System);
    }
}
