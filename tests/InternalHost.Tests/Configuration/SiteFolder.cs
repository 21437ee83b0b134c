using Common.Configuration;
using InternalHost.Configuration;

namespace InternalHost.Tests.Configuration;

/// <summary>A folder with the files that a configuration names, and a configuration that is right.</summary>
internal sealed class SiteFolder : IDisposable
{
    public const string HostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMIxtGteHzUaJWQpUo9A2kB6ASlg+Gce+0D5gAJ30df4";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("site");

    public SiteFolder()
    {
        Directory.CreateDirectory(At("keys"));
        Directory.CreateDirectory(At("secrets"));
        Write("keys/bastion", "a private key", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write("keys/bastion_host.pub", HostKey + " comment\n", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Write("secrets/twilio_key", "hunter2", UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public string Good => $$"""
        site: home
        uplinks:
          primary: {interface: eth0, address: 192.168.1.5}
          backup: {interface: eth0, address: 192.168.1.6}
        bastion:
          cloud: static
          address: 198.51.100.10
          key: {{At("keys/bastion")}}
          host_keys: {{HostKey}}
        services:
          ssh: 127.0.0.1:22
          kvm: 192.168.1.21:443
        people:
          alice:
            text: "+15551230001"
            devices: {laptop: {{HostKey}}}
        messages:
          sms: {from: "+15551230009", account: AC00000000000000000000000000000000, secret: twilio_key}
        secrets_directory: {{At("secrets")}}
        state_directory: {{At("state")}}

        """;

    public string At(string name) => Path.Combine(_folder.FullName, name);

    public string Write(string name, string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        File.WriteAllText(At(name), text);
        File.SetUnixFileMode(At(name), mode);
        return At(name);
    }

    public SiteReading Load(string text, UnixFileMode mode = UnixFileMode.UserRead) => SiteConfiguration.Load(Write("internalhost.yaml", text, mode));

    public IReadOnlyList<ConfigurationError> Errors(string text) => Load(text).Errors;

    public void Dispose() => _folder.Delete(recursive: true);
}
