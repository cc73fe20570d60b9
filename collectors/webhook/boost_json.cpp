// Debian ships Boost.JSON as headers to be compiled once: here, for this module and all above it.
#include <boost/json/src.hpp>
