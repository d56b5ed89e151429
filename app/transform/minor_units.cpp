// SPDX-License-Identifier: Apache-2.0
#include "transform/minor_units.hpp"

#include <array>

namespace wherry::app {
namespace {

// Codes of three letters, one after the other. Metals, units of account without a minor unit (XDR,
// XAU and so on) and the codes for testing are no currencies that an API counts in.
struct group {
  int decimals;
  std::string_view codes;
};
constexpr std::array<group, 4> groups{{
    {2,
     "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
     "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
     "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP "
     "LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR "
     "NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
     "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR "
     "ZMW "
     "ZWG"},
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"},
    {3, "BHD IQD JOD KWD LYD OMR TND"},
    {4, "CLF UYW"},
}};

}  // namespace

std::optional<int> minor_unit_of(std::string_view code) {
  constexpr std::size_t length = 3;
  if (code.size() != length || code.find(' ') != code.npos) return std::nullopt;
  for (const auto& [decimals, codes] : groups) {
    const auto at = codes.find(code);
    if (at != codes.npos && at % (length + 1) == 0) return decimals;
  }
  return std::nullopt;
}

}  // namespace wherry::app
