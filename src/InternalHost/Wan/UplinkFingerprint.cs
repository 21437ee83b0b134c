using System.Security.Cryptography;
using System.Text;
using InternalHost.Configuration;

namespace InternalHost.Wan;

/// <summary>
/// Names one uplink as it is configured. "Has been Up" is remembered under it: an uplink wired anew has to show again that it works
/// before its silence can mean an outage.
/// </summary>
internal static class UplinkFingerprint
{
    public static string Of(UplinkOptions uplink)
    {
        var wiring = $"{uplink.Name}|{uplink.Interface}|{uplink.Address}|{uplink.Gateway}|{uplink.CarrierIsModem}|{uplink.Provider}{uplink.Observe}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(wiring)))[..16];
    }
}
