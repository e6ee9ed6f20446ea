// The functions of Windows' bcryptprimitives.dll that Bun needs, for Wine 8, which lacks it.
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *bytes, unsigned long length);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *bytes, unsigned long long length) {
  while (length > 0) {
    const unsigned long most = length < 65536 ? (unsigned long)length : 65536;
    SystemFunction036(bytes, most);
    bytes += most;
    length -= most;
  }
  return 1;
}

int __stdcall DllMain(void *module, unsigned long reason, void *reserved) {
  (void)module, (void)reason, (void)reserved;
  return 1;
}
