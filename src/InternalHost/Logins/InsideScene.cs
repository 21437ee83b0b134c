using System.Collections.Immutable;
using Common.Logins;
using Common.Logins.Recording;
using Common.Logins.Spool;
using InternalHost.Configuration;
using InternalHost.Messages;

namespace InternalHost.Logins;

/// <summary>Who we are and whose keys are known, as the configuration in force says.</summary>
internal sealed class InsideScene(Func<SiteOptions> site, string boot, bool hookExpected)
{
    private volatile Made? _made;

    public LoginScene Now()
    {
        var options = site();
        if (_made is not { } made || !ReferenceEquals(made.Of, options))
        {
            _made = made = new Made(options, Make(options));
        }

        return made.Scene;
    }

    private LoginScene Make(SiteOptions options) => new(
        options.Site, $"bastion-{options.Site}", Keys(options), null, boot, [.. OutageAlerts.Everybody(options)])
    {
        Host = LoginHost.Inside,
        Allow = options.Allow,
        HookExpected = hookExpected,
    };

    private static ImmutableArray<Identity> Keys(SiteOptions options) =>
    [
        .. from person in options.People
           from device in person.Devices
           let words = device.Value.Split(' ')
           let key = words.Length > 1 ? KeyBlob.Read(words[0], words[1]) : null
           where key is not null
           select new Identity(key.Fingerprint, LoginRole.Person, person.Name, device.Key),
    ];

    private sealed record Made(SiteOptions Of, LoginScene Scene);
}
