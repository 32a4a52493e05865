@echo off
rem First contact: let the facility's controller manage this PC over WinRM (HTTPS only). Run it once, as administrator,
rem from the folder that playbooks/ops/first_contact.yml made for this PC. It asks for the account's password twice:
rem that of the vault, also the one that opens winrm.pfx. Neither PowerShell nor a reboot is needed; Windows 7 to 11.
setlocal
set "HERE=%~dp0"
set "STEP=read first-contact.txt"
< "%HERE%first-contact.txt" (
  set /p "NAME="
  set /p "ACCOUNT="
  set /p "THUMBPRINT="
)
if not defined THUMBPRINT goto failed

net session >nul 2>&1
if errorlevel 1 (
  echo Run this as administrator: right-click, "Run as administrator".
  exit /b 1
)

set "STEP=trust the facility's authority"
certutil -f -addstore Root "%HERE%ca.crt" >nul || goto failed

set "STEP=import the PC's certificate (is the password right?)"
echo Password that opens winrm.pfx:
certutil -f -importpfx "%HERE%winrm.pfx" NoExport || goto failed

set "STEP=make the account"
net user "%ACCOUNT%" >nul 2>&1 || net user "%ACCOUNT%" * /add /passwordchg:no || goto failed
set "STEP=make the account an administrator"
cscript //Nologo //E:JScript "%HERE%prepare-account.js" "%ACCOUNT%" | find "done" >nul || goto failed
rem Without this, a local administrator has no rights over the network (UAC).
reg add HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System /v LocalAccountTokenFilterPolicy /t REG_DWORD /d 1 /f >nul || goto failed

set "STEP=start WinRM"
sc config winrm start= auto >nul || goto failed
sc start winrm >nul 2>&1

set "STEP=listen on HTTPS with the certificate"
call winrm delete winrm/config/Listener?Address=*+Transport=HTTPS >nul 2>&1
call winrm create winrm/config/Listener?Address=*+Transport=HTTPS @{Hostname="%NAME%";CertificateThumbprint="%THUMBPRINT%"} >nul || goto failed
call winrm set winrm/config/service @{AllowUnencrypted="false"} >nul || goto failed

set "STEP=open the firewall for port 5986"
netsh advfirewall firewall delete rule name="WinRM HTTPS (facility)" >nul 2>&1
netsh advfirewall firewall add rule name="WinRM HTTPS (facility)" dir=in action=allow protocol=TCP localport=5986 >nul || goto failed

echo Done: %NAME% can be managed. Remove this folder from the stick: winrm.pfx is a key.
exit /b 0

:failed
echo Not done: %STEP%. Mend it and run this again; it begins anew and harms nothing.
exit /b 1
